/** The bytes are not what the schema says. The text tells where, never what: payload stays out of logs. */
export class WireError extends Error {
  override readonly name = "WireError"
}

/** Where something lies in the bytes of a message: [start, end). */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Numbers of protobuf wire types (https://protobuf.dev/programming-guides/encoding). */
const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/**
 * Walks the fields of one protobuf message in place. Every read is checked against the end: bytes that lie about their
 * length end in a WireError, never in a read beyond the message.
 */
export class WireReader {
  readonly bytes: Uint8Array
  position: number
  readonly end: number
  /** Field number and wire type of the field that `next` stopped at. */
  field = 0
  type = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.position >= this.end) return false
    const tag = this.varint()
    this.field = Math.floor(tag / 8)
    this.type = tag % 8
    if (this.field === 0 || tag > 0xffffffff)
      throw new WireError(`field number 0 or too large at byte ${this.position}`)
    return true
  }

  /** A varint as a double: exact up to 2^53, the nearest double above. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.end) throw new WireError(`varint runs past byte ${this.end}`)
      const byte = this.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new WireError(`varint of more than 10 bytes at byte ${this.position}`)
  }

  /** The span of a length-delimited field. */
  span(): Span {
    if (this.type !== wireType.bytes) throw new WireError(`field ${this.field} has wire type ${this.type}, not bytes`)
    return this.delimited()
  }

  /** A length and as many bytes. */
  delimited(): Span {
    const length = this.varint()
    const start = this.position
    if (length > this.end - start) throw new WireError(`field ${this.field} runs past the end of its message`)
    this.position = start + length
    return { start, end: this.position }
  }

  unsigned(): number {
    if (this.type !== wireType.varint) throw new WireError(`field ${this.field} has wire type ${this.type}, not varint`)
    return this.varint()
  }

  skip(): void {
    switch (this.type) {
      case wireType.varint:
        this.varint()
        return
      case wireType.bytes:
        this.span()
        return
      case wireType.fixed64:
      case wireType.fixed32: {
        const size = this.type === wireType.fixed64 ? 8 : 4
        if (size > this.end - this.position) throw new WireError(`field ${this.field} runs past the end of its message`)
        this.position += size
        return
      }
      default:
        throw new WireError(`field ${this.field} has unknown wire type ${this.type}`)
    }
  }
}
