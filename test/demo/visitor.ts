// Somebody outside: requests through the tunnel as soon as it is there, and goes on.
import { get } from "node:http"
import { tunnelPort } from "./tunnel.js"

const pauseMs = 250

function request(): void {
  get({ host: "127.0.0.1", port: tunnelPort, agent: false }, (response) => {
    let body = ""
    response.setEncoding("utf8").on("data", (text: string) => (body += text))
    response.on("end", () => {
      console.log(`${response.statusCode ?? 0} ${body.trim()}`)
      setTimeout(request, pauseMs)
    })
  }).on("error", () => setTimeout(request, pauseMs))
}

request()
