/** A field for an instant, in the reader's zone. */
import { useSignal } from '@preact/signals'
import { Labelled } from '../policy/Form.tsx'
import { HALF, unfinished } from './words.ts'

interface InstantFieldProps {
  label: string
  /** What a complaint calls it. */
  which: 'start' | 'end'
  /** As the browser has it; '' for none, `HALF` for one that is half typed. */
  value: string
  onText(local: string): void
}

export function InstantField({ label, which, value, onText }: InstantFieldProps) {
  // Nobody is told that it is unfinished who is about to finish it.
  const left = useSignal(false)
  const look = ({ currentTarget: field }: { currentTarget: HTMLInputElement }) => {
    // Of what is half typed the browser says the same as of nothing, and says it only once something whole was there: keys are looked at too.
    const now = field.validity.badInput ? HALF : field.value
    if (now !== HALF) left.value = false
    if (now !== value) onText(now)
  }
  const wrong = left.value ? unfinished(which, value) : ''
  return (
    <Labelled label={label} wrong={wrong || undefined}>
      {(id) => (
        <input
          id={id}
          class="field"
          type="datetime-local"
          max="9999-12-31T23:59"
          value={value === HALF ? '' : value}
          aria-invalid={wrong ? 'true' : undefined}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onInput={look}
          onKeyUp={look}
          onBlur={(event) => {
            look(event)
            left.value = true
          }}
        />
      )}
    </Labelled>
  )
}
