import { render } from "preact"
import "uplot/dist/uPlot.min.css"
import { Session } from "./app/session.js"
import "./style.css"
import "./app/app.css"
import "./incidents/incidents.css"
import "./finding/finding.css"
import "./outbound/outbound.css"
import "./health/health.css"

const place = document.getElementById("page")
if (place !== null) render(<Session />, place)
