/** Commands to copy. Pure. */

/** A call of the API for a shell, with the key of the environment. */
export function curl(method: string, url: string, body?: unknown): string {
  const data = body === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d ${quoted(spaced(body))}`]
  const parts = [`curl -X ${method} "${url}"`, `-H "X-API-Key: $SIGNALBOX_API_KEY"`, ...data]
  return parts.join(' \\\n  ')
}

/** A text for a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** JSON with a space after colons and commas, so that it is easy to read and edit. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${JSON.stringify(key)}: ${spaced(one)}`)
      .join(', ')}}`
  }
  return JSON.stringify(value)
}
