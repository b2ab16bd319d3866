/** The event log: everything that happened, newest first. */
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { counted } from '../../acts/words.ts'
import { ApiError } from '../../api/error.ts'
import { useQuery } from '../../api/useQuery.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Icon, Time } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { List } from '../../parts/List.tsx'
import { Said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { personName } from '../../people/people.ts'
import { query, setQuery } from '../../router/location.ts'
import { lookAt } from '../../time/moment.ts'
import { MOST_EXPORTED, exportEvents } from './export.ts'
import { Panel } from './Panel.tsx'
import { type Filter, type LogEvent, useEvents } from './useEvents.ts'
import { aboutOf, byService, byWhom, restOf, serviceOf, thingOf, wordsOf } from './words.ts'
import './events.css'

const WAIT_MS = 250

export default function EventsPage() {
  useCrumbs([{ label: 'Event log' }])
  const told = (name: string) => query.value.get(name) ?? ''
  const filter: Filter = { types: told('type'), subject: told('about'), text: told('q') }
  const chosen = told('event')
  const tail = useSignal(true)
  const box = useRef<HTMLDivElement>(null)
  const scrolled = () => (box.current?.querySelector('.rows')?.scrollTop ?? 0) > 4
  const events = useEvents(filter, () => tail.peek() && !scrolled())
  const kinds = useQuery('/api/v1/workspaces/{workspaceId}/events/types', { timeless: true })
  const { list } = events
  const show = () => {
    events.show()
    box.current?.querySelector('.rows')?.scrollTo({ top: 0 })
  }
  const close = () => {
    setQuery({ event: null })
    box.current?.querySelector<HTMLElement>('[data-active]')?.focus()
  }
  const active = () => Number(box.current?.querySelector('[data-active]')?.getAttribute('aria-rowindex') ?? 2) - 2
  useKeys([
    { key: 't', does: 'look at the world at this event', run: () => lookAt(Number(chosen) || (list?.row(active())?.position ?? null)) },
    { key: 'l', does: 'follow what happens, or hold it back', run: () => follow(!tail.peek()) },
    { key: 'n', does: 'show the new events', run: show },
    { key: 'j', does: 'the event before; k the one after, Enter opens it' },
    { key: 'x', does: 'show every event', run: () => setQuery({ type: null, about: null, q: null }) },
  ])
  const follow = (on: boolean) => {
    tail.value = on
    if (on) show()
  }
  const describe = (type: string) => kinds.data.value?.items.find((one) => one.type === type)?.description.replaceAll('`', '') ?? ''
  return (
    <div class="fill events-page" ref={box}>
      <div class="head">
        <h1>Event log</h1>
        <Filters filter={filter} types={kinds.data.value?.items ?? []} />
        <div class="actions">
          <button type="button" class="btn small" aria-pressed={tail.value} onClick={() => follow(!tail.peek())}>
            {tail.value ? 'Following' : 'Held'}
          </button>
          <Export filter={filter} />
        </div>
      </div>
      {events.error ? <ErrorCard error={events.error} what={list ? 'This is not the newest state:' : 'The events:'} retry={events.reload} /> : null}
      <span class="sr" role="status">
        {events.waiting ? 'There are new events.' : ''}
      </span>
      {events.waiting ? (
        <div class="newer">
          <Button small kind="primary" onPress={show}>
            {events.waiting.toLocaleString('en')} new
          </Button>
        </div>
      ) : null}
      <div class={chosen ? 'log open' : 'log'}>
        {!list ? (
          events.error ? null : <Skeleton lines={16} />
        ) : list.empty ? (
          <Nothing filter={filter} />
        ) : (
          <Rows events={events} chosen={chosen} />
        )}
        {chosen ? <Panel position={chosen} onClose={close} describe={describe} onFilter={(change) => setQuery({ type: change.type ?? told('type'), about: change.about ?? told('about') })} /> : null}
      </div>
    </div>
  )
}

function Filters({ filter, types }: { filter: Filter; types: readonly { type: string }[] }) {
  return (
    <div class="filters">
      <Search label="Find a text in the events" placeholder="A name, an id, a word" value={filter.text} wait={WAIT_MS} onText={(text) => setQuery({ q: text || null })} />
      <select class="field" aria-label="Kind of event" value={filter.types} onChange={(event) => setQuery({ type: event.currentTarget.value || null })}>
        <option value="">every kind</option>
        {byService(types).map(([service, kinds]) => (
          <optgroup key={service} label={service}>
            <option value={`${service}.*`}>everything of {service}</option>
            {kinds.map(({ type }) => (
              <option key={type} value={type}>
                {wordsOf(type)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      {filter.subject ? (
        <span class="tag about">
          about {thingOf(filter.subject, {})}
          <Button kind="bare" small label="Events about everything" onPress={() => setQuery({ about: null })}>
            <Icon name="close" />
          </Button>
        </span>
      ) : null}
    </div>
  )
}

function Export({ filter }: { filter: Filter }) {
  const count = useSignal(-1)
  const run = async () => {
    if (count.peek() >= 0) return
    count.value = 0
    try {
      const saved = await exportEvents(filter, (now) => (count.value = now))
      toast('healthy', saved < MOST_EXPORTED ? `Exported ${counted(saved, 'event')}.` : `Exported the newest ${counted(saved, 'event')}.`)
    } catch (failure) {
      toast('failed', `The export ended early: ${failure instanceof ApiError ? failure.message : String(failure)}`)
    } finally {
      count.value = -1
    }
  }
  return (
    <Button small onPress={() => void run()}>
      {count.value < 0 ? 'Export' : `${count.value.toLocaleString('en')} read…`}
      <span class="sr"> as JSON lines</span>
    </Button>
  )
}

function Nothing({ filter }: { filter: Filter }) {
  const parts = [filter.text ? `“${filter.text}”` : '', filter.types ? wordsOf(filter.types.replace('.*', '.anything')) : '', filter.subject ? `about ${thingOf(filter.subject, {})}` : '']
  const named = parts.filter(Boolean)
  if (!named.length) {
    return (
      <Empty title="Nothing happened yet" command={`curl -X POST ${location.origin}/api/v1/workspaces/…/systems -H "X-API-Key: $SIGNALBOX_API_KEY" -H 'Content-Type: application/json' -d '{"name": "shop"}'`}>
        <p>Everything that anybody or any service does in this workspace is recorded here, with what led to it. Making a system is the first thing.</p>
      </Empty>
    )
  }
  return (
    <Empty title="No event fits this filter">
      <p>{named.join(', ')}</p>
      <p>
        <Button onPress={() => setQuery({ type: null, about: null, q: null })}>Show every event</Button>
      </p>
    </Empty>
  )
}

const WIDE = [
  { title: 'When', width: '110px' },
  { title: 'What', width: 'minmax(150px, 1.2fr)' },
  { title: 'By', width: 'minmax(80px, 130px)' },
  { title: 'About', width: 'minmax(0, 1.3fr)' },
  { title: 'And', width: 'minmax(0, 2fr)' },
  { title: 'Position', width: '84px' },
]
const BESIDE = [
  { title: 'When', width: '84px' },
  { title: 'What', width: 'minmax(120px, 1fr)' },
  { title: 'About', width: 'minmax(0, 1.6fr)' },
  { title: 'Position', width: '64px' },
]
const NARROW = [
  { title: 'What', width: 'minmax(0, 1fr)' },
  { title: 'When', width: 'max-content' },
]

function Rows({ events, chosen }: { events: ReturnType<typeof useEvents>; chosen: string }) {
  const { list, names } = events
  if (!list) return null
  const what = (one: LogEvent) => (
    <span class="kind" data-service={serviceOf(one.type)}>
      {wordsOf(one.type)}
    </span>
  )
  const thing = (one: LogEvent) => thingOf(one.subject, names)
  const rest = (one: LogEvent) => <Said links={false}>{restOf({ ...one, about: aboutOf(one.data) }, names)}</Said>
  const who = (one: LogEvent) => byWhom(one.authid, names, personName)
  const place = (one: LogEvent) => <span class="mono faint num">{one.position.toLocaleString('en')}</span>
  return (
    <List<LogEvent>
      key={`${list.anchor} ${list.whole}`}
      label="Events, newest first"
      columns={chosen ? BESIDE : WIDE}
      count={list.count}
      row={(index) => list.row(index)}
      onWindow={events.onWindow}
      rowKey={(one) => String(one.position)}
      status={(one) => (String(one.position) === chosen ? 'chosen' : '')}
      onOpen={(one) => setQuery({ event: one.position })}
      cells={(one) =>
        chosen
          ? [
              <Time at={one.time} />,
              what(one),
              <>
                {thing(one)} <span class="quiet">{rest(one)}</span>
              </>,
              place(one),
            ]
          : [<Time at={one.time} />, what(one), <span class="quiet">{who(one)}</span>, thing(one), <span class="quiet">{rest(one)}</span>, place(one)]
      }
      slim={{
        columns: NARROW,
        rowHeight: 54,
        cells: (one) => [
          <span class="two">
            <b class="cut">{what(one)}</b>
            <span class="cut quiet small">
              {thing(one)} {rest(one)}
            </span>
          </span>,
          <span class="two end small">
            <Time at={one.time} />
            <span class="faint">{who(one)}</span>
          </span>,
        ],
      }}
    />
  )
}
