/** A menu button: arrows move, letters jump, Escape gives the focus back. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'

export interface MenuItem {
  label: string
  /** A link, or something that is done. */
  href?: string
  onPick?(): void
  /** Why it can not be picked now. */
  off?: string
  hint?: string
  danger?: boolean
  icon?: ComponentChildren
  /** Of several that exclude each other: whether it is the one. */
  checked?: boolean
}

export interface MenuProps {
  label: string
  children: ComponentChildren
  items: readonly (MenuItem | null)[]
  class?: string
}

/** A button that opens a menu; null among the items draws a line. */
export function Menu({ label, children, items, class: name = 'btn bare' }: MenuProps) {
  const open = useSignal(false)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  return (
    <>
      <button
        ref={button}
        type="button"
        class={name}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open.value}
        aria-controls={open.value ? id : undefined}
        onClick={() => (open.value = !open.value)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return
          event.preventDefault()
          open.value = true
        }}
      >
        {children}
      </button>
      {open.value ? <List id={id} label={label} items={items} button={button.current} onClose={() => (open.value = false)} /> : null}
    </>
  )
}

interface ListProps {
  id: string
  label: string
  items: readonly (MenuItem | null)[]
  button: HTMLElement | null
  onClose(): void
}

function List({ id, label, items, button, onClose }: ListProps) {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const menu = box.current
    if (!menu || !button) return
    menu.showPopover()
    const from = button.getBoundingClientRect()
    const left = Math.max(8, Math.min(from.left, innerWidth - menu.offsetWidth - 8))
    const below = from.bottom + 4 + menu.offsetHeight < innerHeight
    menu.style.left = `${left}px`
    menu.style.top = `${below ? from.bottom + 4 : Math.max(8, from.top - 4 - menu.offsetHeight)}px`
    entries(menu)[0]?.focus()
  }, [])
  const leave = (back: boolean) => {
    onClose()
    if (back) button?.focus()
  }
  const keys = (event: KeyboardEvent) => {
    const all = entries(box.current)
    const here = all.indexOf(document.activeElement as HTMLElement)
    const to = target(event.key, here, all)
    if (to !== null) {
      event.preventDefault()
      all[to]?.focus()
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      if (event.key === 'Escape') event.preventDefault()
      leave(true)
    }
    event.stopPropagation()
  }
  return (
    <div
      ref={box}
      id={id}
      class="menu"
      role="menu"
      aria-label={label}
      popover="auto"
      onKeyDown={keys}
      onToggle={(event) => {
        if ((event as ToggleEvent).newState === 'closed') onClose()
      }}
    >
      {items.map((item, index) => (item ? <Entry key={item.label} item={item} onPicked={() => leave(!item.href)} /> : <hr key={index} />))}
    </div>
  )
}

function Entry({ item, onPicked }: { item: MenuItem; onPicked(): void }) {
  const inside = (
    <>
      {item.icon}
      {item.label}
      {item.hint ? <small>{item.hint}</small> : null}
    </>
  )
  const common = {
    role: item.checked === undefined ? ('menuitem' as const) : ('menuitemradio' as const),
    tabIndex: -1,
    title: item.off || undefined,
    'aria-disabled': item.off ? ('true' as const) : undefined,
    'aria-checked': item.checked,
    'data-danger': item.danger ? '' : undefined,
  }
  if (item.href && !item.off) {
    return (
      <a {...common} href={item.href} onClick={onPicked}>
        {inside}
      </a>
    )
  }
  return (
    <button
      {...common}
      type="button"
      onClick={() => {
        if (item.off) return
        onPicked()
        item.onPick?.()
      }}
    >
      {inside}
    </button>
  )
}

function entries(menu: HTMLElement | null): HTMLElement[] {
  return menu ? [...menu.querySelectorAll<HTMLElement>('[role^="menuitem"]')] : []
}

function target(key: string, here: number, all: HTMLElement[]): number | null {
  const count = all.length
  if (key === 'ArrowDown') return (here + 1) % count
  if (key === 'ArrowUp') return (here - 1 + count) % count
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  if (key.length !== 1 || key === ' ') return null
  const letter = key.toLowerCase()
  const order = all.map((_, index) => (here + 1 + index) % count)
  return order.find((index) => all[index]?.textContent?.trim().toLowerCase().startsWith(letter)) ?? null
}
