/** A field for an expression: offers fields and values while one types, underlines where the server found a mistake. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useRef } from 'preact/hooks'
import { offsetOf } from '../cel/clauses.ts'
import { type Suggestion, type Vocabulary, suggestions } from '../cel/complete.ts'
import './cel.css'

export interface Mistake {
  message: string
  line?: number
  column?: number
}

export interface CelFieldProps {
  label: string
  value: string
  words: Vocabulary
  onInput(text: string): void
  /** What is wrong with the value, in the server's words. */
  mistake?: Mistake | null
  placeholder?: string
  labelled?: boolean
  /** Whether `/` goes here. */
  filter?: boolean
  /** Below the field, when nothing is wrong. */
  note?: ComponentChildren
}

export function CelField({ label, value, words, onInput, mistake, placeholder, labelled = true, filter = false, note }: CelFieldProps) {
  const id = useId()
  const open = useSignal(false)
  const active = useSignal(-1)
  const offered = useSignal<readonly Suggestion[]>([])
  const scrolled = useSignal(0)
  const input = useRef<HTMLInputElement>(null)
  const shown = open.value && offered.value.length > 0

  const look = () => {
    const field = input.current
    if (field) offered.value = suggestions(field.value, field.selectionStart ?? field.value.length, words)
  }
  const pick = (one: Suggestion | undefined) => {
    const field = input.current
    if (!one || !field) return
    // The field itself first, so that the caret has its place in the new text.
    field.value = one.text
    field.setSelectionRange(one.caret, one.caret)
    onInput(one.text)
    active.value = -1
    look()
  }
  const keys = (event: KeyboardEvent) => {
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && (shown || event.key === 'ArrowDown')) {
      if (!shown) {
        look()
        open.value = true
      }
      const count = offered.peek().length
      const step = event.key === 'ArrowDown' ? 1 : -1
      active.value = count ? (active.peek() + step + count + (active.peek() < 0 && step < 0 ? 1 : 0)) % count : -1
    } else if ((event.key === 'Enter' || event.key === 'Tab') && shown && active.peek() >= 0) pick(offered.peek()[active.peek()])
    else if (event.key === 'Escape' && shown) open.value = false
    else if (event.key === ' ' && event.ctrlKey) {
      look()
      open.value = true
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const at = mistake?.line && mistake.column ? offsetOf(value, mistake.line, mistake.column) : -1
  return (
    <div class="cel labelled">
      <label for={id} class={labelled ? '' : 'sr'}>
        {label}
      </label>
      <div class="cel-box">
        <input
          ref={input}
          id={id}
          class="field"
          role="combobox"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          {...(filter ? { 'data-filter': '' } : {})}
          aria-autocomplete="list"
          aria-expanded={shown}
          aria-controls={`${id}-list`}
          aria-activedescendant={shown && active.value >= 0 ? `${id}-${active.value}` : undefined}
          aria-invalid={mistake ? 'true' : undefined}
          aria-describedby={`${id}-note`}
          placeholder={placeholder}
          value={value}
          onInput={(event) => {
            active.value = -1
            open.value = true
            onInput(event.currentTarget.value)
            look()
          }}
          onFocus={() => {
            // A field that is empty says what it takes; one that is not is only looked at.
            if (!value) {
              look()
              open.value = true
            }
          }}
          onBlur={() => (open.value = false)}
          onScroll={(event) => (scrolled.value = event.currentTarget.scrollLeft)}
          onKeyDown={keys}
        />
        {at >= 0 ? (
          <div class="cel-under" aria-hidden="true">
            <span style={{ '--x': String(-scrolled.value) }}>
              {value.slice(0, at)}
              <u>{value.slice(at).match(/^(\w+|.)/)?.[0] ?? ' '}</u>
            </span>
          </div>
        ) : null}
        <div id={`${id}-list`} class="options" role="listbox" aria-label={`${label}: what fits`} hidden={!shown}>
          {offered.value.map((one, index) => (
            <div
              key={one.label}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active.value}
              onPointerDown={(event) => {
                event.preventDefault()
                pick(one)
              }}
            >
              <code>{one.label}</code>
              {one.hint ? <span class="hint">{one.hint}</span> : null}
            </div>
          ))}
        </div>
      </div>
      <div id={`${id}-note`} class={mistake ? 'wrong' : 'note'} data-bare={note === undefined ? '' : undefined} aria-live="polite">
        {mistake ? `${mistake.message}${mistake.column && !/column/.test(mistake.message) ? ` (at column ${mistake.column})` : ''}` : note}
      </div>
    </div>
  )
}
