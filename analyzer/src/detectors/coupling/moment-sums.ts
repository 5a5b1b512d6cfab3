/** Sums of moments from which what was added can be taken away again, without a trace however often that happens. */
import type { Moments } from "../../domain/coupling.js"

/** Squares of bytes pass 2^53, where doubles stop to be exact, in some 8,000 turns of 1 MiB: they are kept in two parts. */
const lowRange = 2 ** 40

/** A sum of whole numbers below 2^64, exact up to 2^93. */
class WideSum {
  #high = 0
  #low = 0

  get value(): number {
    return this.#high * lowRange + this.#low
  }

  add(value: number, sign: 1 | -1): void {
    const high = Math.floor(value / lowRange)
    const low = this.#low + sign * (value - high * lowRange)
    const carry = Math.floor(low / lowRange)
    this.#high += sign * high + carry
    this.#low = low - carry * lowRange
  }
}

export class MomentSums {
  #n = 0
  #x = 0
  #y = 0
  readonly #xx = new WideSum()
  readonly #yy = new WideSum()
  readonly #xy = new WideSum()

  get moments(): Moments {
    return { n: this.#n, x: this.#x, y: this.#y, xx: this.#xx.value, yy: this.#yy.value, xy: this.#xy.value }
  }

  add({ n, x, y, xx, yy, xy }: Moments, sign: 1 | -1): void {
    this.#n += sign * n
    this.#x += sign * x
    this.#y += sign * y
    this.#xx.add(xx, sign)
    this.#yy.add(yy, sign)
    this.#xy.add(xy, sign)
  }
}
