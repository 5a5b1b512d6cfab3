import { render } from "preact"
import "uplot/dist/uPlot.min.css"
import { Door } from "./app/door.js"
import "./style.css"

const place = document.getElementById("page")
if (place !== null) render(<Door />, place)
