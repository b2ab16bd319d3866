/** The targets that a policy applies to, those that it holds marked. */
import type { PolicyTarget } from '../../api/schema'
import { Glyph } from '../../parts/base.tsx'
import { href } from '../../router/location.ts'

interface ReachedProps {
  items: readonly PolicyTarget[]
  total: number
  label: string
}

export function Reached({ items, total, label }: ReachedProps) {
  if (!items.length) return <p class="quiet pad">None. The selector picks no release target that there is now.</p>
  return (
    <>
      <ul class="reached" aria-label={label} tabIndex={0}>
        {items.map((one) => (
          <li key={one.key} data-st={one.held || one.error ? 'blocked' : undefined}>
            <a href={href('target', { releaseTargetKey: one.key })}>{one.resourceName}</a>
            <span class="quiet">
              {one.deploymentName} in {one.environmentName}
            </span>
            {one.error ? (
              <span class="st" title={one.error}>
                <Glyph status="blocked" /> no answer: {one.error}
              </span>
            ) : one.held ? (
              <span class="st">
                <Glyph status="blocked" /> held
              </span>
            ) : null}
          </li>
        ))}
      </ul>
      {total > items.length ? <p class="quiet pad">and {(total - items.length).toLocaleString('en')} more</p> : null}
    </>
  )
}
