/** The time dock: any page, at any event since the beginning. */
import { useComputed } from '@preact/signals'
import { connection, head } from '../live/link.ts'
import { Icon, Time } from '../parts/base.tsx'
import { Button } from '../parts/Button.tsx'
import { thousands } from '../parts/numbers.ts'
import { Copy } from '../parts/say.tsx'
import { happened, lookAt, past, position, step } from '../time/moment.ts'
import { named } from './keys.ts'

/** About a minute of a busy log: what PageUp and PageDown move by. */
const PAGE = 50

export function Dock() {
  const back = past.value
  const value = useComputed(() => String(position.value))
  const most = useComputed(() => String(Math.max(1, head.value)))
  const page = (event: KeyboardEvent) => {
    const by: Record<string, number> = { PageUp: -PAGE, PageDown: PAGE }
    const jump = by[event.key]
    if (jump === undefined) return
    event.preventDefault()
    lookAt(position.peek() + jump)
  }
  if (!head.value) return <section class="dock" aria-label="Time">{connection.value === 'live' ? 'No events yet.' : ''}</section>
  return (
    <section class="dock" aria-label="Time">
      {back ? (
        <Button small kind="primary" onPress={() => lookAt(null)}>
          Back to live
        </Button>
      ) : (
        <span class="faint only-wide">Look back</span>
      )}
      <span class="steps">
        <Button kind="bare" small label={named('One event back', '[')} onPress={() => step(-1)}>
          <Icon name="left" />
        </Button>
        <Button kind="bare" small label={named('One event forward', ']')} off={back ? '' : 'This is the newest event.'} onPress={() => step(1)}>
          <Icon name="right" />
        </Button>
      </span>
      <input
        type="range"
        min="1"
        max={most}
        value={value}
        step="1"
        aria-label="Moment, as a position in the event log"
        aria-valuetext={back ? `event ${position.value} of ${head.value}` : `live, event ${head.value}`}
        onInput={(event) => lookAt(Number(event.currentTarget.value))}
        onKeyDown={page}
      />
      <span class="moment num">
        {back && happened.value ? <Time at={happened.value.time} /> : null} <span class="mono">#{thousands(position.value)}</span>
      </span>
      {back ? (
        <span class="what cut">
          {happened.value ? wordsOf(happened.value.type) : ''} <Copy text={location.href} label="Copy the link to this moment" />
        </span>
      ) : null}
    </section>
  )
}

/** `policy.targets_cleared.v1` → `targets cleared`. */
function wordsOf(type: string): string {
  return (type.split('.')[1] ?? type).replaceAll('_', ' ')
}
