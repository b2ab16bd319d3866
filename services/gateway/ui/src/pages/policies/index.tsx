/** The policies: what each asks for in sentences, whom it applies to, and what it holds now. */
import { useComputed } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { Policy } from '../../api/schema'
import { workspaceId } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { counted } from '../../acts/words.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Glyph, Icon } from '../../parts/base.tsx'
import { PAST } from '../../parts/Button.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { at, go, href, query, setQuery } from '../../router/location.ts'
import { isPlain, selectorWords, sentencesOf } from '../../rules/sentences.ts'
import { type Reach, useReach } from './useReach.ts'
import './policies.css'

export default function Policies() {
  useCrumbs([{ label: 'Policies' }])
  const policies = useQuery('/api/v1/workspaces/{workspaceId}/policies', { query: { limit: 1000 }, topics: ['policies'] })
  const reach = useReach()
  const list = useRef<HTMLUListElement>(null)
  const text = useComputed(() => query.value.get('q') ?? '')
  const all = policies.data.value?.items
  const shown = all && inOrder(all).filter((one) => fits(one, text.value))

  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a.whole') ?? [])]
    const here = links.indexOf(document.activeElement as HTMLElement)
    links[Math.max(0, Math.min(links.length - 1, here < 0 ? 0 : here + by))]?.focus()
  }
  const create = () => (at.value === null ? go(href('policy', { policyId: 'new' })) : undefined)
  useKeys([
    { key: 'j', does: 'next policy', run: () => move(1) },
    { key: 'k', does: 'policy before', run: () => move(-1) },
    { key: 'Enter', does: 'open the policy' },
    { key: 'n', does: 'write a new policy', run: create },
  ])

  return (
    <div class="sheet">
      <div class="head">
        <h1>Policies</h1>
        {all ? <span class="quiet num">{all.length}</span> : null}
        <Search label="Filter policies" placeholder="Filter by name, rule or selector" value={text.value} onText={(next) => setQuery({ q: next || null })} down='.policies a' />
        <div class="actions">
          {at.value === null ? (
            <a class="btn primary" href={href('policy', { policyId: 'new' })}>
              <Icon name="plus" /> New policy
            </a>
          ) : (
            <span class="btn" aria-disabled="true" title={PAST}>
              New policy
            </span>
          )}
        </div>
        <p>What must hold before a version goes to a target. All policies that match a target count, and every rule of theirs.</p>
      </div>
      {policies.error.value ? <ErrorCard error={policies.error.value} what="Policies could not be read." retry={policies.reload} /> : null}
      {reach.asked.error.value ? <ErrorCard error={reach.asked.error.value} what="What policies reach could not be counted." retry={reach.asked.reload} /> : null}
      {!shown ? (
        policies.slow.value ? <Skeleton lines={12} /> : null
      ) : shown.length ? (
        <ul class="policies" ref={list} aria-label="Policies">
          {shown.map((one) => (
            <Line key={one.id} policy={one} reach={reach} />
          ))}
        </ul>
      ) : all?.length ? (
        <Empty title="No policy fits this filter">
          <p>
            <code>{text}</code>
          </p>
          <p>
            <button type="button" class="btn" onClick={() => setQuery({ q: null })}>
              Show all policies
            </button>
          </p>
        </Empty>
      ) : (
        <First />
      )}
    </div>
  )
}

/** As they count: those of a higher priority first, then the newer ones; what is switched off comes last. */
function inOrder(policies: readonly Policy[]): Policy[] {
  return [...policies].sort((a, b) => Number(b.enabled) - Number(a.enabled) || b.priority - a.priority || b.createdAt.localeCompare(a.createdAt))
}

function fits(policy: Policy, text: string): boolean {
  const whole = [policy.name, policy.description ?? '', policy.selector, ...policy.rules.flatMap((rule) => [...Object.keys(rule), ...sentencesOf({ ...rule })])].join(' ').toLowerCase()
  return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word))
}

function Line({ policy, reach }: { policy: Policy; reach: Reach }) {
  const counts = reach.of(policy.id)
  const held = counts?.held ?? 0
  const sentences = policy.rules.flatMap((rule) => sentencesOf({ ...rule }))
  return (
    <li data-off={policy.enabled ? undefined : ''}>
      <div class="what">
        <h2>
          <a class="whole" href={href('policy', { policyId: policy.id })}>
            {policy.name}
          </a>
          {policy.enabled ? null : <span class="tag">switched off</span>}
          {policy.priority ? <span class="tag">priority {policy.priority}</span> : null}
        </h2>
        <p class="quiet">
          For {isPlain(policy.selector) ? selectorWords(policy.selector) : <code>{policy.selector}</code>}
        </p>
        {sentences.length ? (
          <ul class="policy-rules">
            {sentences.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        ) : (
          <p class="quiet">It has no rules, and asks for nothing.</p>
        )}
      </div>
      <dl class="policy-counts" aria-label={counts ? `Applies to ${counted(counts.targets, 'target')}, holds ${held} now` : 'Being counted'}>
        <div>
          <dt>{policy.enabled ? 'applies to' : 'would apply to'}</dt>
          <dd>{counts ? counted(counts.targets, 'target') : '…'}</dd>
        </div>
        <div data-st={held ? 'blocked' : undefined}>
          <dt>holds now</dt>
          <dd>
            {held ? <Glyph status="blocked" /> : null}
            {counts ? (held ? counted(held, 'target') : 'none') : '…'}
          </dd>
        </div>
      </dl>
    </li>
  )
}

function First() {
  const command = `curl -X POST ${location.origin}/api/v1/workspaces/${workspaceId.value}/policies \\
  -H "X-API-Key: $SIGNALBOX_API_KEY" -H 'Content-Type: application/json' \\
  -d '{"name": "careful", "selector": "environment.name == \\"production\\"", "rules": [{"anyApproval": {"minApprovals": 1}}]}'`
  return (
    <Empty title="There are no policies yet" command={command}>
      <p>
        Without policies every version goes everywhere at once. A policy asks for approvals, for success in another environment, for a time window, for health. This
        command makes one that asks for an approval before production; or <a href={href('policy', { policyId: 'new' })}>write one here</a>.
      </p>
    </Empty>
  )
}
