/** The field by which a page looks for something: `/` goes to it, Escape leaves it, the arrow down goes to what was found. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { works } from '../frame/keys.ts'
import { Icon } from './base.tsx'
import './search.css'

export interface SearchProps {
  /** What a screen reader calls it. */
  label: string
  placeholder: string
  /** What is looked for now. */
  value: string
  onText(text: string): void
  /** How long after the last key it is told, in ms: for what the server looks for. */
  wait?: number
  /** Where the arrow down goes to: the row that has, or would have, the focus. */
  down?: string
}

export function Search({ label, placeholder, value, onText, wait = 0, down = '[data-active]' }: SearchProps) {
  const field = useRef<HTMLInputElement>(null)
  const timer = useRef(0)
  const told = useRef(value.trim())
  // What is being typed is not told yet, and must not be by another page.
  useEffect(() => () => clearTimeout(timer.current), [])
  useLayoutEffect(() => {
    const asIs = value.trim()
    // What was told from here may come back while more is typed.
    if (asIs === told.current) return
    // It changed by itself: somebody dropped the filter, or went back. What was typed before that is not told any more.
    told.current = asIs
    clearTimeout(timer.current)
    if (field.current) field.current.value = value
  }, [value])
  const tell = (text: string) => {
    told.current = text.trim()
    onText(text)
  }
  return (
    <label class="find">
      <Icon name="filter" />
      <input
        ref={field}
        class="field"
        type="search"
        data-filter
        aria-label={label}
        placeholder={placeholder}
        maxLength={200}
        spellcheck={false}
        defaultValue={value}
        onInput={(event) => {
          const text = event.currentTarget.value
          clearTimeout(timer.current)
          if (wait) timer.current = window.setTimeout(() => tell(text.trim()), wait)
          else tell(text)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
          const next = event.key === 'ArrowDown' ? document.querySelector<HTMLElement>(`main ${down}`) : null
          if (!next) return
          event.preventDefault()
          next.focus()
        }}
      />
      {works('/') ? <kbd>/</kbd> : null}
    </label>
  )
}
