import type { Finding } from "../../contract.js"
import { Untrusted } from "../parts/untrusted.js"
import { commandLine } from "../text/printable.js"

/** The process under those that started it, the oldest first. */
export function ProcessTree({ process }: { readonly process: Finding["process"] }) {
  const chain = [...[...process.ancestors].reverse(), process]
  return (
    <ol class="tree">
      {chain.map(({ pid, exe, argv }, depth) => (
        <li key={`${pid} ${depth}`} class={depth === chain.length - 1 ? "itself" : ""} data-depth={Math.min(depth, 8)}>
          <code>
            <Untrusted text={argv.length > 0 ? commandLine(argv) : exe} />
          </code>{" "}
          <span class="quiet">
            {pid === 0 ? "pid unknown" : `pid ${pid}`}
            {argv.length > 0 && exe !== "" && exe !== argv[0] ? (
              <>
                {" "}
                · <Untrusted text={exe} limit={120} />
              </>
            ) : null}
          </span>
        </li>
      ))}
    </ol>
  )
}
