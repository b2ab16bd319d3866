/** One fact: what it says, what led to it, what it led to, and its payload. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Answer } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { Icon, Time } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { Said } from '../../parts/Said.tsx'
import { Copy, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Viewer } from '../../parts/Viewer.tsx'
import { personName } from '../../people/people.ts'
import { href } from '../../router/location.ts'
import { lookAt } from '../../time/moment.ts'
import '../../styles/shared.css'
import { aboutOf, asTree, byWhom, depthsOf, restOf, serviceOf, thingOf, wordsOf } from './words.ts'

type Chain = Answer<'/api/v1/workspaces/{workspaceId}/events/{position}/chain', 'get'>
type Linked = Chain['causes'][number]
type Names = Chain['names']

interface PanelProps {
  position: string
  onClose(): void
  onFilter(change: { type?: string; about?: string }): void
  /** What a kind of fact says, by its name. */
  describe(type: string): string
}

export function Panel({ position, onClose, onFilter, describe }: PanelProps) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/events/{position}/chain', { path: { position } })
  const heading = useRef<HTMLHeadingElement>(null)
  const chain = asked.data.value
  const there = chain !== undefined && String(chain.event.position) === position
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), [position, there])
  return (
    <aside
      class="event-panel"
      aria-label={`Event ${position}`}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onClose()
      }}
    >
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {there ? <Title event={chain.event} /> : `Event ${position}`}
        </h2>
        <Button kind="bare" small label="Close the event" onPress={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      {asked.error.value ? (
        <ErrorCard error={asked.error.value} what={`Event ${position}:`} retry={asked.reload} />
      ) : there ? (
        <Told chain={chain} describe={describe} onFilter={onFilter} />
      ) : (
        <Skeleton lines={8} />
      )}
    </aside>
  )
}

function Title({ event }: { event: { type: string } }) {
  return (
    <>
      {wordsOf(event.type)} <span class="tag">{serviceOf(event.type)}</span>
    </>
  )
}

function Told({ chain, describe, onFilter }: { chain: Chain } & Pick<PanelProps, 'describe' | 'onFilter'>) {
  const { event, causes, effects, names, more } = chain
  return (
    <div class="in">
      <p class="quiet">{describe(event.type)}</p>
      <dl class="facts">
        <dt>About</dt>
        <dd>
          <button type="button" class="quiet-link" title="Only facts about this" onClick={() => onFilter({ about: event.subject })}>
            {thingOf(event.subject, names)}
          </button>
          {restOf({ ...event, about: aboutOf(event.data) }, names) ? <span class="quiet"> · <Said>{restOf({ ...event, about: aboutOf(event.data) }, names)}</Said></span> : null}
        </dd>
        <dt>When</dt>
        <dd>
          <Time at={event.time} /> <span class="mono faint">#{event.position.toLocaleString('en')}</span>
        </dd>
        <dt>By</dt>
        <dd>{byWhom(event.authid, names, personName)}</dd>
      </dl>
      <div class="panel-acts">
        <Button small kind="primary" onPress={() => lookAt(event.position)}>
          <Icon name="clock" />
          Look at the world then
        </Button>
        <Button small onPress={() => onFilter({ type: event.type })}>
          Only this kind
        </Button>
        <Copy text={new URL(href('events', {}, { event: event.position }), location.href).href} label="Copy the link to this event" />
      </div>
      <h3>Because of</h3>
      {causes.length ? (
        <ol class="chain">
          {causes.map((one) => (
            <Step key={one.id} one={one} names={names} arrow="left" />
          ))}
        </ol>
      ) : null}
      <p class="quiet small">{origin(causes.at(-1) ?? event, names)}</p>
      <h3>
        Led to <span class="faint num">{effects.length ? `${effects.length}${more ? ' and more' : ''}` : ''}</span>
      </h3>
      {effects.length ? <Effects root={event.id} effects={effects} names={names} /> : <p class="quiet small">Nothing that is recorded.</p>}
      <h3>Payload</h3>
      <Viewer value={event.data} label="payload" />
    </div>
  )
}

/** What began it: no fact, but a request of somebody, or a timer of a service. */
function origin(first: { authid: string }, names: Names): string {
  const who = byWhom(first.authid, names, personName)
  return first.authid.startsWith('service:') ? `It began with a timer or an answer of ${who}.` : `It began with a request of ${who}.`
}

function Effects({ root, effects, names }: { root: string; effects: readonly Linked[]; names: Names }) {
  const depths = depthsOf(root, effects)
  return (
    <ol class="chain">
      {asTree(root, effects).map((one) => (
        <Step key={one.id} one={one} names={names} arrow="right" depth={depths.get(one.id) ?? 1} />
      ))}
    </ol>
  )
}

function Step({ one, names, arrow, depth = 1 }: { one: Linked; names: Names; arrow: 'left' | 'right'; depth?: number }) {
  return (
    <li style={{ '--depth': String(Math.min(depth, 8) - 1) }}>
      <Icon name={arrow} />
      <a href={href('events', {}, { ...filterOfNow(), event: one.position })}>
        <b>{wordsOf(one.type)}</b> <span class="quiet"><Said links={false}>{restOf(one, names) || thingOf(one.subject, names)}</Said></span>
      </a>
      <span class="faint small">
        <Time at={one.time} />
      </span>
    </li>
  )
}

/** The filter of the address, so that following a chain does not lose it. */
function filterOfNow(): Record<string, string> {
  const now = new URLSearchParams(location.search)
  return Object.fromEntries(['type', 'about', 'q'].flatMap((name) => (now.get(name) ? [[name, now.get(name) ?? '']] : [])))
}
