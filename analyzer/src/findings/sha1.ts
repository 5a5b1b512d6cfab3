/** SHA-1 (RFC 3174) of a short message, for names in UUIDv5 only: nothing here relies on it against an attacker. */
export function sha1(message: Uint8Array): Uint8Array {
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]
  const padded = pad(message)
  for (let at = 0; at < padded.byteLength; at += blockBytes) mixBlock(state, padded, at)
  const digest = new DataView(new ArrayBuffer(20))
  state.forEach((word, i) => digest.setUint32(4 * i, word))
  return new Uint8Array(digest.buffer)
}

const blockBytes = 64

/** A one bit, zeros, and the length in bits as 64 bits, to a whole number of blocks. */
function pad(message: Uint8Array): DataView {
  const length = Math.ceil((message.length + 9) / blockBytes) * blockBytes
  const bytes = new Uint8Array(length)
  bytes.set(message)
  bytes[message.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setUint32(length - 8, Math.floor(message.length / 0x2000_0000))
  view.setUint32(length - 4, (message.length << 3) >>> 0)
  return view
}

function mixBlock(state: number[], block: DataView, at: number): void {
  const w: number[] = []
  for (let t = 0; t < 16; t++) w.push(block.getUint32(at + 4 * t))
  const word = (t: number) => w[t] ?? 0
  for (let t = 16; t < 80; t++) w.push(rotate(word(t - 3) ^ word(t - 8) ^ word(t - 14) ^ word(t - 16), 1))
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state
  for (let t = 0; t < 80; t++) {
    const next = (rotate(a, 5) + choose(t, b, c, d) + e + word(t) + roundConstant(t)) >>> 0
    ;[a, b, c, d, e] = [next, a, rotate(b, 30), c, d]
  }
  ;[a, b, c, d, e].forEach((value, i) => (state[i] = ((state[i] ?? 0) + value) >>> 0))
}

function choose(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) >>> 0
  if (t >= 40 && t < 60) return ((b & c) | (b & d) | (c & d)) >>> 0
  return (b ^ c ^ d) >>> 0
}

function roundConstant(t: number): number {
  if (t < 20) return 0x5a827999
  if (t < 40) return 0x6ed9eba1
  return t < 60 ? 0x8f1bbcdc : 0xca62c1d6
}

function rotate(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0
}
