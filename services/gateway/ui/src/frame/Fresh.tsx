/** How fresh the page is: live, reconnecting, or looking back. One mark, for eyes and for screen readers. */
import { useComputed } from '@preact/signals'
import { connection, head, headTime, heardAt } from '../live/link.ts'
import { now, pastTime } from '../time/clock.ts'
import { happened, past, position } from '../time/moment.ts'
import { age, local } from '../time/words.ts'

export function Fresh() {
  const state = useComputed(() => (past.value ? 'past' : connection.value))
  const text = useComputed(() => {
    if (past.value) {
      const when = pastTime.value ?? Date.parse(happened.value?.time ?? '')
      return Number.isNaN(when) ? `as of event ${position.value}` : `looking at ${local(when, Date.now())}`
    }
    if (connection.value === 'ended') return 'signed out'
    if (connection.value === 'connecting') return 'connecting'
    if (connection.value === 'cut') return `reconnecting, last heard ${age(heardAt.value, Math.max(now.value, heardAt.value))} ago`
    return 'live'
  })
  const title = useComputed(() => {
    const when = headTime.value ? `, ${local(Date.parse(headTime.value), Date.now())}` : ''
    return head.value ? `As of event ${past.value ? position.value : head.value}${when}` : ''
  })
  return (
    <span class="fresh" data-state={state} title={title}>
      <span role="status">{text}</span>
      <span class="only-wide num faint">{useComputed(() => (head.value && !past.value ? `#${head.value.toLocaleString('en')}` : ''))}</span>
    </span>
  )
}
