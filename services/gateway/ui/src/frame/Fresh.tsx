/** How fresh the page is: live, reconnecting, or looking back. One mark, for eyes and for screen readers. */
import { useComputed } from '@preact/signals'
import { connection, head, headTime, heardAt } from '../live/link.ts'
import { thousands } from '../parts/numbers.ts'
import { now, pastTime } from '../time/clock.ts'
import { happened, past, position } from '../time/moment.ts'
import { age, local, utc } from '../time/words.ts'

const WORDS = { connecting: 'connecting', live: 'live', cut: 'reconnecting', ended: 'signed out' } as const

export function Fresh() {
  const state = useComputed(() => (past.value ? 'past' : connection.value))
  const word = useComputed(() => (past.value ? 'looking back' : WORDS[connection.value]))
  // What ticks, or follows the slider, is not said again and again: only the word before it is.
  const detail = useComputed(() => {
    if (past.value) {
      const when = pastTime.value ?? Date.parse(happened.value?.time ?? '')
      return Number.isNaN(when) ? ` to event ${position.value}` : ` to ${local(when, Date.now())}`
    }
    return connection.value === 'cut' ? `, last heard ${age(heardAt.value, Math.max(now.value, heardAt.value))} ago` : ''
  })
  const title = useComputed(() => {
    const when = past.value ? (pastTime.value ?? Number.NaN) : Date.parse(headTime.value)
    return head.value ? `As of event ${past.value ? position.value : head.value}${Number.isNaN(when) ? '' : `, ${utc(when)}`}` : ''
  })
  return (
    <span class="fresh" data-state={state} title={title}>
      <span>
        <span role="status">{word}</span>
        {detail}
      </span>
      <span class="only-wide num faint">{useComputed(() => (head.value && !past.value ? `#${thousands(head.value)}` : ''))}</span>
    </span>
  )
}
