/** Links out of metadata, each opened beside the page. */
import { Icon } from './base.tsx'
import type { Link } from './links.ts'
import '../styles/shared.css'

export function Links({ links }: { links: readonly Link[] }) {
  return (
    <>
      {links.map(({ label, href }) => (
        <a key={label + href} class="link out" href={href} target="_blank" rel="noreferrer">
          {label}
          <Icon name="external" />
          <span class="sr"> (opens beside)</span>
        </a>
      ))}
    </>
  )
}
