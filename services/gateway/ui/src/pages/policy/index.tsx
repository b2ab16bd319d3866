/** A policy: its rules in sentences, whom it applies to, and an editor that says what saving would do before it is done. */
import { type Signal, useComputed, useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo } from 'preact/hooks'
import { send } from '../../api/client.ts'
import type { Policy } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { counted } from '../../acts/words.ts'
import { columns, rows, useOfBoard } from '../../board/board.ts'
import { vocabulary } from '../../cel/complete.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Lazy } from '../../frame/Lazy.tsx'
import { Card, Icon, Time } from '../../parts/base.tsx'
import { Action, Button } from '../../parts/Button.tsx'
import { confirm } from '../../parts/Dialog.tsx'
import { Copy, Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { Tabs } from '../../parts/Tabs.tsx'
import { Viewer } from '../../parts/Viewer.tsx'
import { at, go, href } from '../../router/location.ts'
import { type Draft, FRESH, draftOf } from '../../rules/forms.ts'
import { deletionWords, effectWords, holdsWords, isPlain, selectorWords, sentencesOf } from '../../rules/sentences.ts'
import { Form } from './Form.tsx'
import { Reached } from './Reached.tsx'
import { type Drafted, type PreviewBody, useDraft } from './useDraft.ts'
import './policy.css'

const POLICY = '/api/v1/workspaces/{workspaceId}/policies/{policyId}'
const loadText = () => import('./Text.tsx')

export default function PolicyPage({ policyId }: { policyId: string }) {
  const isNew = policyId === 'new'
  // The stream tells of a deletion before its answer is here: what is being deleted is not asked for any more.
  const leaving = useSignal(false)
  const policy = useQuery(POLICY, { path: { policyId }, topics: ['policies'], when: !isNew && !leaving.value })
  const found = policy.data.value
  useCrumbs([{ label: 'Policies', href: href('policies') }, { label: isNew ? 'New policy' : (found?.name ?? policyId.slice(0, 8)) }])
  if (isNew) {
    return at.value === null ? (
      <Editor key="new" policy={null} leaving={leaving} />
    ) : (
      <Empty page title="Nothing can be written in the past">
        <p>
          <a href={href('policy', { policyId: 'new' }, { at: null })}>Go back to now</a> to write a new policy.
        </p>
      </Empty>
    )
  }
  if (policy.error.value?.status === 404) {
    return (
      <Empty page title={at.value === null ? 'There is no such policy' : 'There was no such policy then'}>
        <p>
          <a href={href('policies')}>Look through all policies</a>.
        </p>
      </Empty>
    )
  }
  if (!found) {
    return <div class="sheet">{policy.error.value ? <ErrorCard error={policy.error.value} what="This policy could not be read." retry={policy.reload} /> : policy.slow.value ? <Skeleton lines={12} /> : null}</div>
  }
  return <Editor key={at.value ?? ''} policy={found} leaving={leaving} />
}

function Editor({ policy, leaving }: { policy: Policy | null; leaving: Signal<boolean> }) {
  useLayoutEffect(() => useOfBoard(), [])
  const text = policy ? JSON.stringify(draftOf({ ...policy })) : ''
  const begun = useMemo<Draft>(() => (policy ? draftOf({ ...policy }) : FRESH), [text])
  const drafted = useDraft(begun, policy?.id ?? null)
  // Saved elsewhere meanwhile: whoever has changed nothing sees that; nobody's changes are thrown away.
  const other = drafted.elsewhere(begun)
  const facets = useQuery('/api/v1/workspaces/{workspaceId}/resources/facets')
  const words = useComputed(() => vocabulary(facets.data.value, { deployments: rows.value.map((one) => one.name), environments: columns.value.map((one) => one.name) }))
  const { draft, refused, changed, unreadable } = drafted
  const name = policy?.name ?? draft.value.name
  const past = at.value !== null

  const off = unreadable.value
    ? 'The text can not be read yet.'
    : !draft.value.name.trim()
      ? 'Give it a name first.'
      : refused.value && !refused.value.passing
        ? 'Something in it is refused: see above.'
        : policy && !changed.value
          ? 'Nothing was changed.'
          : ''
  const save = () => {
    if (off) return
    const given = draft.peek()
    confirm({
      title: policy ? `Save “${given.name}”?` : `Create “${given.name}”?`,
      consequence: <Effect drafted={drafted} isNew={!policy} />,
      more: <Warnings drafted={drafted} />,
      verb: policy ? 'Save the policy' : 'Create the policy',
      act: async ({ key }) => {
        const body = given as unknown as PreviewBody
        if (policy) {
          await send('put', POLICY, { path: { policyId: policy.id }, body: body as never, key })
          toast('healthy', `“${given.name}” was saved.`)
        } else {
          const made = await send('post', '/api/v1/workspaces/{workspaceId}/policies', { body, key })
          toast('healthy', `“${given.name}” was created.`)
          go(href('policy', { policyId: made.id }))
        }
      },
    })
  }
  const turn = async () => {
    if (!policy || at.peek() !== null) return
    const given = { ...draftOf({ ...policy }), enabled: !policy.enabled }
    const effect = await send('post', '/api/v1/workspaces/{workspaceId}/policies/preview', { query: { limit: 1 }, body: { ...given, policyId: policy.id } as unknown as PreviewBody }).catch(() => null)
    confirm({
      title: `Switch “${policy.name}” ${given.enabled ? 'on' : 'off'}?`,
      consequence: effect ? effectWords(policy.name, given.enabled, effect, false) : 'What it would apply to could not be counted.',
      verb: given.enabled ? 'Switch it on' : 'Switch it off',
      danger: !given.enabled,
      act: async ({ key }) => {
        await send('put', POLICY, { path: { policyId: policy.id }, body: given as never, key })
        toast('healthy', `“${policy.name}” is switched ${given.enabled ? 'on' : 'off'}.`)
      },
    })
  }
  const remove = () => {
    if (!policy || at.peek() !== null) return
    confirm({
      title: `Delete “${policy.name}”?`,
      consequence: <Deletion rules={policy.rules.length} drafted={drafted} />,
      verb: 'Delete the policy',
      danger: true,
      act: async ({ key }) => {
        leaving.value = true
        try {
          await send('delete', POLICY, { path: { policyId: policy.id }, key })
        } catch (failure) {
          leaving.value = false
          throw failure
        }
        toast('healthy', `“${policy.name}” was deleted.`)
        go(href('policies'))
      },
    })
  }
  useKeys([
    { key: 'Ctrl s', does: policy ? 'save the policy' : 'create the policy', run: save },
    ...(policy ? [{ key: 'e', does: policy.enabled ? 'switch it off' : 'switch it on', run: () => void turn() }] : []),
  ])

  return (
    <div class="sheet">
      <div class="head">
        <h1>{policy ? name : 'New policy'}</h1>
        {policy && !policy.enabled ? <span class="tag">switched off</span> : null}
        <div class="actions">
          {policy ? (
            <>
              <Action onPress={() => void turn()}>{policy.enabled ? 'Switch off' : 'Switch on'}</Action>
              <Action kind="danger" onPress={remove}>
                <Icon name="trash" /> Delete
              </Action>
            </>
          ) : null}
        </div>
        {policy?.description ? <p>{policy.description}</p> : null}
      </div>
      <div class="cols policy-cols">
        <div>
          {past && policy ? null : (
            <Card title={policy ? 'Change it' : 'What it says'} note={changed.value && policy ? 'not saved yet' : undefined}>
              <div class="in policy-edit">
                {other ? (
                  <p class="notice">
                    It was saved by somebody else meanwhile. Saving writes over that. <Button small onPress={() => drafted.reset(begun)}>Take theirs</Button>
                  </p>
                ) : null}
                <Tabs
                  label="How it is written"
                  name="as"
                  tabs={[
                    { key: 'form', label: 'Form', body: () => <Form drafted={drafted} words={words.value} /> },
                    { key: 'yaml', label: 'YAML', body: () => <Lazy key="yaml" load={loadText} props={{ drafted, as: 'yaml' as const }} /> },
                    { key: 'json', label: 'JSON', body: () => <Lazy key="json" load={loadText} props={{ drafted, as: 'json' as const }} /> },
                  ]}
                />
                {refused.value && (refused.value.passing || draft.value.name.trim()) ? <ErrorCard error={refused.value} what="It would be refused." /> : null}
                <div class="foot">
                  {changed.value && policy ? <Action onPress={() => drafted.reset(begun)}>Undo the changes</Action> : null}
                  <Action kind="primary" off={off} onPress={save}>
                    {policy ? 'Save…' : 'Create…'}
                  </Action>
                </div>
              </div>
            </Card>
          )}
          {past && policy ? (
            <Card title="As it was">
              <div class="in">
                <Viewer value={draftOf({ ...policy })} label="policy" />
              </div>
            </Card>
          ) : null}
        </div>
        <div>
          <Sentences draft={draft.value} changed={changed.value} />
          {past && policy ? <Then policyId={policy.id} /> : <Preview drafted={drafted} isNew={!policy} />}
          {policy ? (
            <Card title="About it">
              <dl class="facts in">
                <dt>Made</dt>
                <dd>
                  <Time at={policy.createdAt} />
                </dd>
                <dt>Priority</dt>
                <dd>{policy.priority}</dd>
                <dt>Id</dt>
                <dd>
                  <code>{policy.id}</code> <Copy text={policy.id} label="Copy the id" />
                </dd>
              </dl>
            </Card>
          ) : null}
        </div>
      </div>
    </div>
  )
}

/** What saving does: of the draft as it is, which may be counted only while the dialog is open. */
function Effect({ drafted: { draft, preview, counted: about, refused }, isNew }: { drafted: Drafted; isNew: boolean }) {
  const effect = preview.value
  if (refused.value) return <>What it would apply to could not be counted.</>
  if (!effect || about.value !== draft.value) return <>What it would apply to is being counted…</>
  return <>{effectWords(draft.value.name, draft.value.enabled, effect, isNew)}</>
}

function Deletion({ rules, drafted: { preview } }: { rules: number; drafted: Drafted }) {
  return <>{deletionWords(rules, preview.value ?? null)}</>
}

function Sentences({ draft, changed }: { draft: Draft; changed: boolean }) {
  const all = draft.rules.flatMap((rule) => sentencesOf(rule))
  return (
    <Card title="In words" note={changed ? 'as it would be' : undefined}>
      <div class="in policy-words">
        <p>For {isPlain(draft.selector) ? selectorWords(draft.selector) : <code>{draft.selector}</code>}:</p>
        {all.length ? (
          <ul>
            {all.map((one, index) => (
              <li key={index}>{one}</li>
            ))}
          </ul>
        ) : (
          <p class="quiet">It has no rules, and asks for nothing.</p>
        )}
      </div>
    </Card>
  )
}

/** Whom the draft would apply to, at this moment. */
function Preview({ drafted, isNew }: { drafted: Drafted; isNew: boolean }) {
  const { preview, refused, asking, draft, changed } = drafted
  const found = preview.value
  const would = isNew || changed.value
  return (
    <Card title={would ? 'It would apply to' : 'It applies to'} note={found ? <b class="num">{counted(found.total, 'target')}</b> : undefined}>
      {refused.value ? <p class="quiet pad">{refused.value.passing ? refused.value.message : 'This is from before the mistake.'}</p> : null}
      {found ? (
        <div data-stale={asking.value || refused.value ? '' : undefined} class="previewed">
          <p class="pad" aria-live="polite">{would ? effectWords(draft.value.name || 'This policy', draft.value.enabled, found, isNew) : holdsWords(found.held, draft.value.enabled)}</p>
          <Warnings drafted={drafted} />
          <Reached items={found.items} total={found.total} label="Targets that it would apply to" />
        </div>
      ) : refused.value ? null : (
        <div class="pad">
          <Skeleton lines={5} />
        </div>
      )}
    </Card>
  )
}

function Warnings({ drafted }: { drafted: Drafted }) {
  const all = drafted.preview.value?.warnings ?? []
  if (!all.length) return null
  return (
    <ul class="warnings" data-st="blocked">
      {all.map((one) => (
        <li key={one.path + one.message}>{one.message}</li>
      ))}
    </ul>
  )
}

/** Whom it applied to then. */
function Then({ policyId }: { policyId: string }) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/policies/{policyId}/targets', { path: { policyId }, query: { limit: 100 } })
  const found = asked.data.value
  return (
    <Card title="It applied to" note={found ? <b class="num">{counted(found.total, 'target')}</b> : undefined}>
      {asked.error.value ? <ErrorCard error={asked.error.value} what="Its targets could not be read." retry={asked.reload} /> : null}
      {found ? <Reached items={found.items} total={found.total} label="Targets that it applied to" /> : null}
    </Card>
  )
}
