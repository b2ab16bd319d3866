/** Addresses of the API from templates such as `/api/v1/workspaces/{workspaceId}/jobs/{jobId}`. Pure. */

export type Values = Record<string, string | number | boolean | readonly string[] | null | undefined>

/** The address with its parts filled in and escaped. Raises when one is missing: that is a mistake of ours, found at the first look. */
export function fill(template: string, path: Values, query: Values = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name]
    if (value === undefined || value === null || value === '') throw new Error(`${template}: no ${name}`)
    return encodeURIComponent(String(value))
  })
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text ? `${filled}?${text}` : filled
}
