import { expect, it } from "vitest"
import { aConnection } from "../../testing/connections.js"
import { aProcess } from "../../testing/processes.js"
import { isSshClientByName } from "./programs.js"

const remote = { address: "203.0.113.9", port: 22 }
const old = aConnection({ olderThanCollector: true, remote })
const program = (exe: string, called: string) => aProcess([called], { exe })

it.each([
  ["/usr/bin/ssh", "ssh"],
  ["/usr/bin/ssh (deleted)", "ssh"],
  ["/usr/bin/slogin", "slogin"],
  ["/usr/bin/autossh", "autossh"],
  ["/usr/bin/plink", "plink"],
  ["/usr/bin/dbclient", "dbclient"],
  ["/usr/sbin/dropbear", "dbclient"],
  ["", "/usr/bin/ssh"],
])("takes %s, called %s, for an SSH client", (exe, called) => {
  expect(isSshClientByName(old, program(exe, called))).toBe(true)
})

it.each([
  ["/usr/sbin/sshd", "sshd: agent"],
  ["/usr/sbin/dropbear", "dropbear"],
  ["/usr/bin/sshpass", "sshpass"],
  ["/usr/bin/python3", "python3"],
  ["", ""],
])("does not take %s, called %s, for one", (exe, called) => {
  expect(isSshClientByName(old, program(exe, called))).toBe(false)
})

it.each([
  ["of which the first bytes were seen", aConnection({ remote }), program("/usr/bin/ssh", "ssh")],
  ["to another port", aConnection({ olderThanCollector: true }), program("/usr/bin/ssh", "ssh")],
  ["of nobody", old, undefined],
])("takes no name for the role in a connection %s", (_, connection, owner) => {
  expect(isSshClientByName(connection, owner)).toBe(false)
})
