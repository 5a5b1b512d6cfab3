/** Arithmetic of turns as moment sums. Pure. */
import type { Moments } from "./coupling.js"

/** Adds the turn that is under way as one more sample. */
export function withOpenTurn(moments: Moments, open: { readonly x: number; readonly y: number }): Moments {
  const { x, y } = open
  if (x === 0 || y === 0) return moments
  return {
    n: moments.n + 1,
    x: moments.x + x,
    y: moments.y + y,
    xx: moments.xx + x * x,
    yy: moments.yy + y * y,
    xy: moments.xy + x * y,
  }
}

export function addMoments(a: Moments, b: Moments): Moments {
  return { n: a.n + b.n, x: a.x + b.x, y: a.y + b.y, xx: a.xx + b.xx, yy: a.yy + b.yy, xy: a.xy + b.xy }
}
