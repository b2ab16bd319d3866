/** The top bar: where one is, how to get elsewhere, how fresh it is. */
import { Icon } from '../parts/base.tsx'
import { Button } from '../parts/Button.tsx'
import { crumbs } from './crumbs.ts'
import { Fresh } from './Fresh.tsx'
import { named } from './keys.ts'
import { helpOpen, paletteOpen } from './overlays.ts'
import { sideOpen } from './Side.tsx'

export function Top() {
  const trail = crumbs.value
  return (
    <header class="top">
      <span class="only-narrow">
        <button
          type="button"
          class="btn bare square"
          aria-label="Menu"
          aria-expanded={sideOpen.value}
          aria-controls="side"
          onClick={() => (sideOpen.value = !sideOpen.value)}
        >
          <Icon name="menu" />
        </button>
      </span>
      <nav aria-label="Breadcrumb" class="crumbs-nav">
        <ol class="crumbs">
          {trail.map(({ label, href }, index) => (
            <li key={index}>
              {href && index < trail.length - 1 ? (
                <a class="cut" href={href}>
                  {label}
                </a>
              ) : (
                <span class="cut" aria-current={index === trail.length - 1 ? 'page' : undefined}>
                  {label}
                </span>
              )}
            </li>
          ))}
        </ol>
      </nav>
      <button type="button" class="seek" aria-keyshortcuts="Control+K Meta+K" onClick={() => (paletteOpen.value = true)}>
        <Icon name="search" />
        <span>Search or jump to</span>
        <kbd aria-hidden="true">{/Mac|iP/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <Fresh />
      <span class="only-wide">
        <Button kind="bare" label={named('Keys', '?')} onPress={() => (helpOpen.value = true)}>
          <Icon name="help" />
        </Button>
      </span>
    </header>
  )
}
