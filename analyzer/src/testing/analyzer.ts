import { Networks } from "../domain/networks.js"
import { Analyzer, defaultAnalyzerLimits } from "../service/analyzer.js"
import type { AnalyzerConfig, AnalyzerLimits, AnalyzerPorts } from "../service/analyzer.js"
import { noLog } from "./log.js"
import { startUs } from "./time.js"
import { noStages } from "./trackers.js"

type LimitChanges = Partial<Omit<AnalyzerLimits, "delivery">> & {
  readonly delivery?: Partial<AnalyzerLimits["delivery"]>
}

/** An analyzer on a free port of loopback that writes without delay. */
export function anAnalyzer(
  ports: Partial<AnalyzerPorts> & Pick<AnalyzerPorts, "store">,
  { limits = {}, ...config }: Partial<Omit<AnalyzerConfig, "limits">> & { readonly limits?: LimitChanges } = {},
): Analyzer {
  const delivery = { ...defaultAnalyzerLimits.delivery, delayMs: 0, retryMs: 1, ...limits.delivery }
  return new Analyzer(
    {
      listen: "127.0.0.1:0",
      networks: new Networks(),
      proofIntervalUs: 0,
      proofKey: "key of a test",
      ...config,
      limits: { ...defaultAnalyzerLimits, ...limits, delivery },
    },
    {
      stages: noStages,
      sinks: [],
      log: noLog,
      nowUs: () => startUs,
      nowMs: () => performance.now(),
      onStored: () => undefined,
      ...ports,
    },
  )
}
