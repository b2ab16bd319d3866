/** A field that offers what fits while one types: arrows choose, Enter takes, Escape closes. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

export interface Option {
  value: string
  label?: string
  hint?: ComponentChildren
}

export interface ComboboxProps {
  label: string
  value: string
  options: readonly Option[]
  onInput(text: string): void
  /** An option was taken. */
  onPick(option: Option): void
  placeholder?: string
  /** Whether the label is drawn; else it is only said. */
  labelled?: boolean
}

export function Combobox({ label, value, options, onInput, onPick, placeholder, labelled = true }: ComboboxProps) {
  const id = useId()
  const open = useSignal(false)
  const active = useSignal(-1)
  const shown = open.value && options.length > 0
  const pick = (option: Option | undefined) => {
    if (!option) return
    onPick(option)
    open.value = false
    active.value = -1
  }
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1
      const start = active.peek() < 0 && step < 0 ? 0 : active.peek()
      open.value = true
      active.value = options.length ? (start + step + options.length) % options.length : -1
    } else if (event.key === 'Enter' && shown && active.peek() >= 0) pick(options[active.peek()])
    else if (event.key === 'Escape' && shown) open.value = false
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="combo labelled">
      <label for={id} class={labelled ? '' : 'sr'}>
        {label}
      </label>
      <input
        id={id}
        class="field"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-activedescendant={shown && active.value >= 0 ? `${id}-${active.value}` : undefined}
        placeholder={placeholder}
        value={value}
        onInput={(event) => {
          open.value = true
          active.value = -1
          onInput(event.currentTarget.value)
        }}
        onFocus={() => (open.value = true)}
        onBlur={() => (open.value = false)}
        onKeyDown={keys}
      />
      <div id={`${id}-list`} class="options" role="listbox" aria-label={label} hidden={!shown}>
        {options.map((option, index) => (
          <div
            key={option.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active.value}
            onPointerDown={(event) => {
              event.preventDefault()
              pick(option)
            }}
          >
            {option.label ?? option.value}
            {option.hint ? <span class="hint">{option.hint}</span> : null}
          </div>
        ))}
      </div>
    </div>
  )
}
