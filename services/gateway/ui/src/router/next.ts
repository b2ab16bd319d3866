/** Where somebody goes who had to sign in first. Pure. */

/** An address of ours, without its host; '/' for any other. Browsers read `/\host` and `//host` as another host: only parsing tells. */
export function ownAddress(next: string, origin: string): string {
  if (!next.startsWith('/')) return '/'
  try {
    const url = new URL(next, origin)
    return url.origin === new URL(origin).origin ? url.pathname + url.search + url.hash : '/'
  } catch {
    return '/'
  }
}
