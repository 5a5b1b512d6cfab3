import { expect, it } from "vitest"
import { isSshClient } from "./programs.js"

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
  expect(isSshClient({ exe, argv: [called] })).toBe(true)
})

it.each([
  ["/usr/sbin/sshd", "sshd: agent"],
  ["/usr/sbin/dropbear", "dropbear"],
  ["/usr/bin/sshpass", "sshpass"],
  ["/usr/bin/python3", "python3"],
  ["", ""],
])("does not take %s, called %s, for one", (exe, called) => {
  expect(isSshClient({ exe, argv: [called] })).toBe(false)
})
