import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface Certificates {
  /** Certificate authority that clients are to trust. */
  readonly authorityFile: string
  /** Key and certificate of the broker in one file. */
  readonly serverFile: string
}

/** An authority and a certificate for 127.0.0.1, made for one day by openssl. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: readonly string[]) => execFileSync("openssl", [...args], { stdio: "pipe", cwd: folder })
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  openssl("req", "-x509", ...curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "1", "-subj", "/CN=test authority")
  openssl("req", ...curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
  writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n")
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile", "names"]
  openssl("x509", "-req", "-in", "server.csr", ...signing, "-out", "server.crt")
  writeFileSync(at("server.pem"), readFileSync(at("server.key"), "utf8") + readFileSync(at("server.crt"), "utf8"))
  return { authorityFile: at("ca.pem"), serverFile: at("server.pem") }
}
