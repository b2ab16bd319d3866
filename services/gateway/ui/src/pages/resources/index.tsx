/** The inventory: what there is to deploy to, found by an expression. */
import { signal, useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { addressOf, session, workspaceId } from '../../api/client.ts'
import type { Resource, ResourceFacets } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { counted } from '../../acts/words.ts'
import { clausesOf, expressionOf, joined } from '../../cel/clauses.ts'
import { vocabulary } from '../../cel/complete.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { subscribe } from '../../live/link.ts'
import { Icon, Time } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { CelField } from '../../parts/CelField.tsx'
import { List } from '../../parts/List.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { usePages } from '../../parts/usePages.ts'
import { at, go, href, query, setQuery } from '../../router/location.ts'
import { Detail } from './Detail.tsx'
import { Facets } from './Facets.tsx'
import { MOST_IN_ORDER, inOrder, orderOf, sortOf, turned } from './order.ts'
import './resources.css'

const DEBOUNCE_MS = 120
/** Up to here the facets are also counted among what is found: both are a look at every resource. */
const COUNTED = 20_000
/** A column of more different values than this is a list of numbers. */
const MOST_VALUES = 24

const narrowly = matchMedia('(max-width: 1000px)')
const narrow = signal(narrowly.matches)
narrowly.addEventListener('change', () => (narrow.value = narrowly.matches))

/** The metadata that tells resources apart in a column: what most have, and what is not of one alone. */
function told(facets: ResourceFacets | undefined): string[] {
  return (facets?.metadata ?? []).filter((one) => !one.more && one.values.length <= MOST_VALUES).map((one) => one.key)
}

export default function Resources() {
  useCrumbs([{ label: 'Resources' }])
  const typed = useSignal(query.peek().get('q') ?? '')
  const asked = useComputed(() => query.value.get('q') ?? '')
  const expression = expressionOf(asked.value)
  const timer = useRef(0)
  useEffect(() => () => clearTimeout(timer.current), [])
  const type = (text: string, now = false) => {
    typed.value = text
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => setQuery({ q: text.trim() || null, sel: null }), now ? 0 : DEBOUNCE_MS)
  }
  // Back and forward in the history change the address, not the field.
  useSignalEffect(() => {
    const next = asked.value
    if (next !== typed.peek().trim() && document.activeElement?.getAttribute('role') !== 'combobox') typed.value = next
  })

  const every = useQuery('/api/v1/workspaces/{workspaceId}/resources/facets')
  const total = every.data.value?.total ?? 0
  const among = useQuery('/api/v1/workspaces/{workspaceId}/resources/facets', { query: { cel: expression }, when: expression !== '' && total <= COUNTED })
  const list = usePages<Resource>((limit, offset) => addressOf('/api/v1/workspaces/{workspaceId}/resources', { query: { cel: expression, limit, offset } }))
  const words = useComputed(() => vocabulary(every.data.value))
  const sort = query.value.get('sort') ?? ''
  const order = orderOf(sort)
  const whole = useQuery('/api/v1/workspaces/{workspaceId}/resources', {
    query: { cel: expression, limit: MOST_IN_ORDER },
    when: order !== null && list.there && list.count <= MOST_IN_ORDER,
  })
  // What could not be read now may be of the filter before: then they are listed as the server has them.
  const all = whole.error.value ? undefined : whole.data.value?.items
  const sorted = useMemo(() => (order && all && list.count <= MOST_IN_ORDER ? inOrder(all, order) : null), [all, sort, list.count <= MOST_IN_ORDER])
  const heading = (by: string) => ({
    sort: sortOf(sorted ? order : null, by),
    onSort: () => {
      if (list.count > MOST_IN_ORDER) toast('pending', `Only up to ${counted(MOST_IN_ORDER, 'resource')} can be put in order: narrow them down first.`)
      else setQuery({ sort: turned(order, by) || null })
    },
  })

  // Rows must not jump under the pointer: what changed is said, and shown when it is wanted.
  const changed = useSignal(0)
  const heard = useRef(0)
  useSignalEffect(() => {
    if (at.value !== null) return
    return subscribe({
      topics: ['resources'],
      heard: (position, changes) => {
        heard.current = position
        changed.value += changes
      },
    })
  })
  const refresh = () => {
    changed.value = 0
    for (const one of [list, whole, every, among]) one.reload(heard.current)
  }
  useSignalEffect(() => {
    // Where there is nothing yet, nothing can jump.
    if (changed.value && list.there && list.count === 0) refresh()
  })

  const selected = query.value.get('sel') ?? ''
  const select = (identifier: string) => {
    if (narrow.value) go(href('resource', { identifier }))
    else setQuery({ sel: identifier })
  }
  const close = () => {
    const here = document.activeElement
    setQuery({ sel: null })
    // Whoever was in it, or nowhere, goes on at the row that they came from.
    if (here === document.body || here?.closest('.beside')) document.querySelector<HTMLElement>('.explorer [data-active]')?.focus()
  }
  useKeys([
    { key: 'r', does: 'show what changed', run: refresh },
    { key: 'f', does: 'go to the facets', run: () => document.querySelector<HTMLElement>('.facets button, .facets summary')?.focus() },
    { key: 'j', does: 'next row' },
    { key: 'k', does: 'row before' },
    { key: 'Enter', does: 'show the row beside the list' },
    { key: 'o', does: 'open the row as a page' },
    { key: 'x', does: 'close what is beside the list', run: close },
  ])

  const mistake = list.error?.code === 'INVALID_CEL' ? (list.error.findings[0] ?? list.error) : null
  const room = narrow.value ? 0 : selected ? 1 : 3
  const keys = told((expression ? among.data.value : null) ?? every.data.value).slice(0, room)
  const columns = [
    { title: 'Resource', width: 'minmax(0, 1.8fr)', ...heading('name') },
    { title: 'Kind', width: 'minmax(0, 1fr)', ...heading('kind') },
    ...keys.map((title) => ({ title, width: 'minmax(0, 0.8fr)', ...heading(`metadata.${title}`) })),
    ...(narrow.value ? [] : [{ title: 'Changed', width: '92px', ...heading('changed') }]),
  ]
  const note = mistake ? null : list.there && !list.error ? `${counted(list.count, 'resource')}${expression ? ` of ${total.toLocaleString('en')}` : ''}` : ' '
  const isNew = list.there && !expression && list.count === 0

  return (
    <div class="fill">
      <div class="head explore">
        <h1>Resources</h1>
        <div class="actions">
          {changed.value ? (
            <Button small onPress={refresh}>
              <Icon name="retry" /> {counted(changed.value, 'change')} <kbd>r</kbd>
            </Button>
          ) : null}
        </div>
        <div class="ask">
          <CelField
            label="Expression"
            labelled={false}
            filter
            value={typed.value}
            words={words.value}
            placeholder='A name, or an expression: resource.metadata["region"] == "eu"'
            mistake={mistake}
            note={note}
            onInput={type}
          />
        </div>
      </div>
      {whole.error.value && !mistake ? <ErrorCard error={whole.error.value} what="They could not be put in order." retry={whole.reload} /> : null}
      {list.error && !mistake ? <ErrorCard error={list.error} what="Resources could not be read." retry={list.reload} /> : null}
      {isNew ? (
        <First />
      ) : (
        <div class="explorer" data-detail={selected ? '' : undefined}>
          <Facets every={every.data.value} among={expression ? among.data.value : every.data.value} text={expression} onText={(text) => type(text, true)} error={every.error.value} retry={every.reload} />
          {!list.there && !list.error ? (
            <div class="rows-to-come">
              <Skeleton lines={14} />
            </div>
          ) : list.there && list.count === 0 ? (
            <Nothing text={expression} onText={(text) => type(text, true)} />
          ) : (
            <List
              label="Resources"
              columns={columns}
              count={sorted ? sorted.length : list.count}
              row={(index) => (sorted ? sorted[index] : list.row(index))}
              onWindow={sorted ? undefined : list.onWindow}
              rowKey={(one) => one.identifier}
              onOpen={(one) => select(one.identifier)}
              onKey={(key, one) => {
                if (key !== 'o') return false
                go(href('resource', { identifier: one.identifier }))
                return true
              }}
              cells={(one) => [
                <span title={one.identifier}>
                  <a href={href('resource', { identifier: one.identifier })} tabIndex={-1}>
                    {one.name}
                  </a>{' '}
                  {one.identifier !== one.name ? <small class="quiet">{one.identifier}</small> : null}
                </span>,
                one.kind,
                ...keys.map((key) => one.metadata[key] ?? ''),
                ...(narrow.value ? [] : [<Time key="changed" at={one.updatedAt} ago />]),
              ]}
            />
          )}
          {selected ? <Detail key={selected} identifier={selected} onClose={close} /> : null}
        </div>
      )}
    </div>
  )
}

function Nothing({ text, onText }: { text: string; onText(text: string): void }) {
  const shorter = joined(clausesOf(text).slice(0, -1))
  return (
    <Empty title="No resource fits this">
      <p>
        <code>{text}</code>
      </p>
      <p class="row-of">
        {shorter ? <Button onPress={() => onText(shorter)}>Drop the last part</Button> : null}
        <Button onPress={() => onText('')}>Show all resources</Button>
      </p>
    </Empty>
  )
}

function First() {
  const command = `curl -X PUT ${location.origin}/api/v1/workspaces/${workspaceId.value}/resources/identifier/cluster-1 \\
  -H "X-API-Key: $SIGNALBOX_API_KEY" -H 'Content-Type: application/json' \\
  -d '{"name": "cluster-1", "kind": "Cluster", "version": "v1", "metadata": {"env": "staging", "region": "eu"}}'`
  return (
    <Empty title="There are no resources yet" command={command}>
      <p>
        Clusters, namespaces, machines: whatever versions are deployed to appears here, as soon as a provider or {session.value?.user.name ?? 'somebody'} tells of it. This
        command makes one:
      </p>
    </Empty>
  )
}
