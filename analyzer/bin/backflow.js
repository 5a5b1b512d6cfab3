#!/usr/bin/env node
// CommonJS, because an ES module is read by the very threads whose number is set here. The embedded engine takes one for
// every statement under way; with the default of four, files and names would wait for slow queries.
process.env.UV_THREADPOOL_SIZE ??= "8"

import("../dist/command/program.js").catch((error) => {
  if (error.code === "ERR_MODULE_NOT_FOUND") console.error("backflow: not built. Run: npm start")
  console.error(error.message)
  process.exitCode = 1
})
