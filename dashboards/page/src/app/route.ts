/** What the page shows, read from the part of the address behind #. */
export type Route =
  | { readonly view: "incidents" }
  | { readonly view: "incident"; readonly id: string }
  | { readonly view: "finding"; readonly id: string }
  | { readonly view: "outbound" }
  | { readonly view: "health" }
  | { readonly view: "unknown" }

export interface Address {
  readonly route: Route
  /** Shown once to sign in, and then taken out of the address. */
  readonly token: string | undefined
}

/** "#/findings/ID?token=T", "#token=T", "". */
export function parseAddress(hash: string): Address {
  const text = hash.replace(/^#/, "")
  const [path = "", query = ""] = text.startsWith("token=") ? ["", text] : text.split("?", 2)
  return { route: routeOf(path), token: new URLSearchParams(query).get("token") ?? undefined }
}

export function hrefOf(route: Route): string {
  switch (route.view) {
    case "incident":
      return `#/incidents/${route.id}`
    case "finding":
      return `#/findings/${route.id}`
    case "outbound":
    case "health":
      return `#/${route.view}`
    default:
      return "#/"
  }
}

function routeOf(path: string): Route {
  const [first = "", id = "", ...more] = path.split("/").filter((part) => part !== "")
  if (more.length > 0) return { view: "unknown" }
  if (first === "" || (first === "incidents" && id === "")) return { view: "incidents" }
  if (first === "incidents") return { view: "incident", id }
  if (first === "findings" && id !== "") return { view: "finding", id }
  if ((first === "outbound" || first === "health") && id === "") return { view: first }
  return { view: "unknown" }
}
