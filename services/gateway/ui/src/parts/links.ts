/** Addresses that metadata names: of builds, commits, runs. Pure. */

export interface Link {
  label: string
  href: string
}

/** Whatever in metadata is an address of the web, or a JSON object of such (`{"Run": "https://…"}`), as links. */
export function linksOf(metadata: Readonly<Record<string, string>>): Link[] {
  return Object.entries(metadata).flatMap(([key, value]) => {
    if (isWeb(value)) return [{ label: key.slice(key.lastIndexOf('/') + 1), href: value }]
    if (!value.trimStart().startsWith('{')) return []
    try {
      const inside = JSON.parse(value) as Record<string, unknown>
      return Object.entries(inside).flatMap(([label, href]) => (typeof href === 'string' && isWeb(href) ? [{ label, href }] : []))
    } catch {
      return []
    }
  })
}

/** Only these: an address of a script must never become a link. */
export function isWeb(text: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(text)
}
