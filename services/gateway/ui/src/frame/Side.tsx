/** The side bar: which workspace, where to go, what waits there, who one is. */
import { signal } from '@preact/signals'
import { session } from '../api/client.ts'
import { counters } from '../board/board.ts'
import { Icon } from '../parts/base.tsx'
import { Menu } from '../parts/Menu.tsx'
import { toast } from '../parts/say.tsx'
import { href, place } from '../router/location.ts'
import { signOut, version, workspace } from '../session.ts'
import { GROUPS } from './places.ts'
import { THEMES, setTheme, theme } from './theme.ts'
import mark from '../icons/mark.svg?url'

/** Whether the side bar is out, on narrow screens. */
export const sideOpen = signal(false)

const THEME_ICON = { auto: 'auto', light: 'sun', dark: 'moon' } as const

export function Side() {
  const here = place.value?.name
  return (
    <>
      <aside class="side" id="side" aria-label="Side bar" data-open={sideOpen.value ? '' : undefined}>
        <div class="brand">
          <Workspaces />
        </div>
        <nav aria-label="Pages" onClick={() => (sideOpen.value = false)}>
          {GROUPS.map(({ title, entries }) => (
            <>
              <h2 key={title}>{title}</h2>
              {entries.map((entry) => (
                <a key={entry.label} href={entry.href()} aria-current={here && entry.pages.includes(here) ? 'page' : undefined}>
                  <Icon name={entry.icon} />
                  {entry.label}
                  {entry.label === 'Approvals' ? <Waiting /> : null}
                </a>
              ))}
            </>
          ))}
        </nav>
        <footer>
          <Menu
            label={`Theme: ${theme.value}`}
            class="btn bare square"
            items={THEMES.map((one) => ({
              label: { auto: 'As the system', light: 'Light', dark: 'Dark' }[one],
              icon: <Icon name={THEME_ICON[one]} />,
              checked: one === theme.value,
              onPick: () => setTheme(one),
            }))}
          >
            <Icon name={THEME_ICON[theme.value]} />
          </Menu>
          <Menu
            label={`You: ${session.value?.user.name || 'You'}`}
            class="btn bare cut"
            items={[
              { label: 'API keys', icon: <Icon name="key" />, href: href('settings', { section: 'keys' }) },
              { label: 'First-run guide', icon: <Icon name="start" />, href: href('start') },
              null,
              { label: 'Sign out', icon: <Icon name="out" />, onPick: leave, hint: version.value },
            ]}
          >
            <Icon name="user" />
            <span class="cut">{session.value?.user.name || 'You'}</span>
          </Menu>
        </footer>
      </aside>
      {sideOpen.value ? <button type="button" class="shade" aria-label="Close the menu" onClick={() => (sideOpen.value = false)} /> : null}
    </>
  )
}

function leave(): void {
  signOut().catch((failure: unknown) => toast('failed', `You are still signed in: ${failure instanceof Error ? failure.message : String(failure)}`))
}

function Workspaces() {
  const all = session.value?.workspaces ?? []
  return (
    <Menu
      label={`Workspace: ${workspace.value?.name ?? 'Signalbox'}`}
      class="btn bare workspace"
      items={all.map((one) => ({ label: one.name, hint: one.slug, href: href('overview', { w: one.slug }, { at: null }), checked: one === workspace.value }))}
    >
      <img class="mark" src={mark} alt="" />
      <b class="cut">{workspace.value?.name ?? 'Signalbox'}</b>
      <Icon name="up-down" />
    </Menu>
  )
}

function Waiting() {
  const count = counters.value?.approvals ?? 0
  if (!count) return null
  return (
    <span class="badge">
      {count}
      <span class="sr"> waiting</span>
    </span>
  )
}
