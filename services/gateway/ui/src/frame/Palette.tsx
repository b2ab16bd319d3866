/** The palette: places, deployments, cells and actions, by typing some of their name. */
import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'
import { cells, columns, rows } from '../board/board.ts'
import { Glyph } from '../parts/base.tsx'
import type { Status } from '../board/types.ts'
import { go, href } from '../router/location.ts'
import { type Command, fitness, pageCommands } from './commands.ts'
import { helpOpen, paletteOpen } from './overlays.ts'
import { ENTRIES } from './places.ts'
import { THEMES, setTheme } from './theme.ts'
import { saved } from '../pages/overview/saved.ts'

interface Found extends Command {
  status?: Status
}

const MOST = 40

function all(): Found[] {
  const deployments = rows.value
  const environments = new Map(columns.value.map((one) => [one.id, one.name]))
  const names = new Map(deployments.map((one) => [one.id, one.name]))
  return [
    ...pageCommands.value.map((one) => ({ ...one, hint: one.hint ?? 'this page' })),
    ...ENTRIES.map((entry) => ({ label: entry.label, hint: 'page', href: entry.href() })),
    ...deployments.map((one) => ({ label: one.name, hint: 'deployment', href: href('deployment', { deploymentId: one.id }) })),
    ...cells.values().flatMap((cell): Found[] => {
      const name = names.get(cell.deploymentId)
      const environment = environments.get(cell.environmentId)
      if (!name || !environment) return []
      const to = href('rollout', { deploymentId: cell.deploymentId, environmentId: cell.environmentId })
      return [{ label: `${name} ${environment}`, hint: cell.desired?.tag ?? '', href: to, status: cell.status }]
    }),
    ...saved.value.map((one) => ({ label: `View: ${one.name}`, hint: one.filter, href: href('overview', {}, { q: one.filter }) })),
    ...THEMES.map((one) => ({ label: `Theme: ${one}`, hint: 'action', run: () => setTheme(one) })),
    { label: 'Show the keys', hint: 'action', run: () => (helpOpen.value = true) },
  ]
}

export default function Palette() {
  const box = useRef<HTMLDialogElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const typed = useSignal('')
  const active = useSignal(0)
  const found = useComputed(() => {
    const text = typed.value.trim()
    if (!text) return all().slice(0, 14)
    return all()
      .map((one) => ({ one, fit: fitness(one.label, text) }))
      .filter(({ fit }) => fit >= 0)
      .sort((a, b) => b.fit - a.fit || a.one.label.length - b.one.label.length)
      .slice(0, MOST)
      .map(({ one }) => one)
  })
  useLayoutEffect(() => {
    box.current?.showModal()
  }, [])
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [active.value])
  const pick = (one: Found | undefined) => {
    if (!one) return
    paletteOpen.value = false
    if (one.href) go(one.href)
    else one.run?.()
  }
  const keys = (event: KeyboardEvent) => {
    const count = found.value.length
    if (event.key === 'ArrowDown') active.value = count ? (active.peek() + 1) % count : 0
    else if (event.key === 'ArrowUp') active.value = count ? (active.peek() - 1 + count) % count : 0
    else if (event.key === 'Enter') pick(found.value[active.peek()])
    else return
    event.preventDefault()
  }
  const shown = found.value
  return (
    <dialog
      ref={box}
      class="dialog palette"
      aria-label="Search or jump to"
      onClose={() => (paletteOpen.value = false)}
      onClick={(event) => {
        if (event.target === box.current) paletteOpen.value = false
      }}
    >
      <input
        class="field"
        role="combobox"
        aria-label="Search or jump to"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls={`${id}-list`}
        aria-activedescendant={shown.length ? `${id}-${active.value}` : undefined}
        placeholder="Pages, deployments, environments, actions"
        autocomplete="off"
        spellcheck={false}
        autofocus
        value={typed}
        onInput={(event) => {
          typed.value = event.currentTarget.value
          active.value = 0
        }}
        onKeyDown={keys}
      />
      <div ref={list} id={`${id}-list`} class="options" role="listbox" aria-label="Found">
        {shown.map((one, index) => (
          <div
            key={`${one.label} ${one.hint}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active.value}
            data-st={one.status}
            onPointerMove={() => (active.value = index)}
            onClick={() => pick(one)}
          >
            {one.status ? <Glyph status={one.status} /> : null}
            {one.label}
            <span class="hint">{one.hint}</span>
          </div>
        ))}
      </div>
      {shown.length ? null : <p class="none">Nothing is called that.</p>}
    </dialog>
  )
}
