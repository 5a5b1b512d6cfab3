import { aHost } from "@backflow/analyzer/testing/outputs"
import type { HostFacts } from "@backflow/analyzer/domain/identity"

/** Who and when, for every part of the story. Microseconds. */
export const minute = 60_000_000
export const hour = 60 * minute

export const hosts = {
  build: aHost({ hostId: "a1", hostName: "build-7", instance: "00000000000000a1" }),
  train: aHost({
    hostId: "b2",
    hostName: "train-3",
    bootId: "7d7a0f7e-0000-4000-8000-0000000000b2",
    instance: "00000000000000b2",
  }),
  gpu: aHost({
    hostId: "c3",
    hostName: "gpu-12",
    bootId: "7d7a0f7e-0000-4000-8000-0000000000c3",
    instance: "00000000000000c3",
    degraded: [{ feature: "send_length", consequence: "" }],
  }),
  edge: aHost({
    hostId: "d4",
    hostName: "edge-1",
    bootId: "7d7a0f7e-0000-4000-8000-0000000000d4",
    instance: "00000000000000d4",
  }),
} satisfies Record<string, HostFacts>

export const cookie = (number: number) => number.toString(16).padStart(16, "0")
