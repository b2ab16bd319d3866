/** What the page that is shown is called, and what it is under: for the top bar and the document's title. */
import { signal } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'

export interface Crumb {
  label: string
  href?: string
}

export const crumbs = signal<readonly Crumb[]>([])

/** Say what this page is, from the outside in; the last is the page itself.
 *
 *     useCrumbs([{ label: 'Jobs', href: href('jobs') }, { label: job.name }])
 */
export function useCrumbs(trail: readonly Crumb[]): void {
  const text = JSON.stringify(trail)
  useLayoutEffect(() => {
    crumbs.value = JSON.parse(text) as Crumb[]
  }, [text])
}
