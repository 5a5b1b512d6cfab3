import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

/** For tests: a certificate of its own authority for 127.0.0.1, made in `folder`, as files and as PEM. */
export function loopbackCertificate(folder: string) {
  const [keyFile, certFile] = [join(folder, "tls-key.pem"), join(folder, "tls-cert.pem")]
  const subject = ["-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
  const files = ["-keyout", keyFile, "-out", certFile]
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...files, ...subject], { stdio: "pipe" })
  return { keyFile, certFile, key: readFileSync(keyFile), cert: readFileSync(certFile) }
}
