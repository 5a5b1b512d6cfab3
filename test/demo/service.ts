// What is reached from outside: a web service that only listens on the inside machine's loopback.
import { createServer } from "node:http"
import { servicePort } from "./tunnel.js"

const server = createServer((_request, response) => response.end("wages of everybody\n"))
server.listen(servicePort, "127.0.0.1", () => console.log("listening"))
