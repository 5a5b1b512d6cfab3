import { readFile } from "node:fs/promises"
import { join } from "node:path"

/** Address of the page in the lines that backflow prints when it is ready: "  page       http://127.0.0.1:4480/ (…)". */
export function pageAddress(lines: readonly string[]): string | undefined {
  return lines.map((line) => /^ +page +(https?:\/\/[^\s#]+)/.exec(line)?.[1]).find((address) => address !== undefined)
}

/** Where a browser shows this finding. With the token, which leaves the address as soon as it has let somebody in, at once. */
export async function findingAddress(
  address: string,
  finding: string,
  state: string,
  withToken: boolean,
): Promise<string> {
  const place = `${address.replace(/\/$/, "")}/#/findings/${finding}`
  return withToken ? `${place}?token=${(await readFile(join(state, "page-token"), "utf8")).trim()}` : place
}
