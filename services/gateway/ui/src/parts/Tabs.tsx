/** Tabs whose choice is in the address, so that a link opens the same one. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { query, setQuery } from '../router/location.ts'

export interface Tab {
  key: string
  label: string
  count?: number
  body(): ComponentChildren
}

/** The first tab is shown where the address names none. Arrows move and show. */
export function Tabs({ tabs, label, name = 'tab' }: { tabs: readonly Tab[]; label: string; name?: string }) {
  const id = useId()
  const wanted = query.value.get(name)
  const shown = tabs.find((tab) => tab.key === wanted) ?? tabs[0]
  if (!shown) return null
  const show = (tab: Tab | undefined) => {
    if (!tab) return
    setQuery({ [name]: tab === tabs[0] ? null : tab.key })
    document.getElementById(`${id}-${tab.key}`)?.focus()
  }
  const keys = (event: KeyboardEvent) => {
    const here = tabs.indexOf(shown)
    const to: Record<string, number> = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }
    const next = to[event.key]
    if (next === undefined) return
    event.preventDefault()
    show(tabs[(next + tabs.length) % tabs.length])
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={keys}>
        {tabs.map((tab) => (
          <button
            key={tab.key}
            id={`${id}-${tab.key}`}
            type="button"
            role="tab"
            aria-selected={tab === shown}
            aria-controls={`${id}-panel`}
            tabIndex={tab === shown ? 0 : -1}
            onClick={() => show(tab)}
          >
            {tab.label}
            {tab.count === undefined ? null : <span class="n">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${shown.key}`}>
        {shown.body()}
      </div>
    </>
  )
}
