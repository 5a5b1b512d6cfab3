import { trackedFiles, read } from "./tracked-files.js"

/** Every page that people read, by path. */
export const pages: readonly string[] = trackedFiles.filter((path) => path.endsWith(".md"))

/** Pages whose commands and configuration a person copies. */
export const guides: readonly string[] = pages.filter((path) =>
  /^(README|CONTRIBUTING|docs\/[^/]+|analyzer\/README)(\.md)?$/.test(path),
)

/**
 * Code blocks of one language in the guides. A block of another program's language names that program behind it:
 * "yaml prometheus" is not "yaml".
 */
export function blocks(language: string): string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\`$`, "gms")
  return guides.flatMap((path) => [...read(path).matchAll(fence)].map(([, text = ""]) => text))
}

/** Lines of the shell blocks, without comments. */
export function commandLines(): string[] {
  return blocks("sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")
}

/** The text of a page without code, in which brackets are no links and signs no headings. */
export function prose(path: string): string {
  return read(path)
    .replace(/^ *```.*?^ *```$/gms, "")
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()#]/g, ""))
}

/** What `#…` leads to on a page, as GitHub makes it of headings. */
export function anchors(path: string): string[] {
  const seen = new Map<string, number>()
  return [...prose(path).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-")
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
}
