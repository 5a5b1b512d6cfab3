import type { HostFacts } from "../domain/identity.js"

export function aHost(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    hostId: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    hostName: "build-7",
    bootId: "3b1c8f5e-1d2a-4c3b-9e8f-0a1b2c3d4e5f",
    kernel: "6.18.0",
    collectorVersion: "0.1.0",
    instance: "00000000000000a1",
    degraded: [],
    ...changes,
  }
}
