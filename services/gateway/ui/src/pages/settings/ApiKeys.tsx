/** The caller's API keys: made, shown once, revoked. */
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { type Answer, requestKey, send, session } from '../../api/client.ts'
import { ApiError } from '../../api/error.ts'
import { useQuery } from '../../api/useQuery.ts'
import { useKeys } from '../../frame/keys.ts'
import { Icon, Time } from '../../parts/base.tsx'
import { Action, Button } from '../../parts/Button.tsx'
import { Dialog, confirm } from '../../parts/Dialog.tsx'
import { Command, Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { at } from '../../router/location.ts'
import { now } from '../../time/clock.ts'
import { LIVES, expiryOf, exportLine, isOver } from './keys.ts'

type Key = Answer<'/api/v1/api-keys', 'get'>['apiKeys'][number]
type NewKey = Answer<'/api/v1/api-keys', 'post'>

export function ApiKeys() {
  const asked = useQuery('/api/v1/api-keys', { timeless: true, topics: ['settings'] })
  const making = useSignal(false)
  useKeys([{ key: 'c', does: 'create an API key', run: () => at.value === null && (making.value = true) }])
  const keys = asked.data.value?.apiKeys
  return (
    <>
      <div class="head">
        <h1>API keys</h1>
        <div class="actions">
          <Action kind="primary" onPress={() => (making.value = true)}>
            <Icon name="plus" />
            Create a key
          </Action>
        </div>
        <p>
          A key does whatever you can do, in every workspace that you see. {session.value?.user.name ? `These are those of ${session.value.user.name}.` : ''}
          {at.value === null ? '' : ' Keys have no past: they are shown as they are now.'}
        </p>
      </div>
      {asked.error.value ? <ErrorCard error={asked.error.value} what="The API keys:" retry={asked.reload} /> : null}
      {!keys ? (
        asked.error.value ? null : <Skeleton lines={4} />
      ) : keys.length ? (
        <Rows keys={keys} reload={asked.reload} />
      ) : (
        <Empty title="No API key">
          <p>Programs sign in with a key: CI that posts versions, agents, syncers. Create one for each of them.</p>
        </Empty>
      )}
      {making.value ? <Make onClose={() => (making.value = false)} reload={asked.reload} /> : null}
    </>
  )
}

function Rows({ keys, reload }: { keys: readonly Key[]; reload(): void }) {
  return (
    <div class="card scroll-x" role="region" aria-label="API keys" tabIndex={0}>
      <table class="table" aria-label="API keys">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="only-wide">
              Begins with
            </th>
            <th scope="col" class="only-wide">
              Made
            </th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span class="sr">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((one) => (
            <tr key={one.id}>
              <th scope="row">{one.name}</th>
              <td class="only-wide">
                <code>{one.prefix}</code>
              </td>
              <td class="only-wide">
                <Time at={one.createdAt} />
              </td>
              <td>
                {one.expiresAt ? <Time at={one.expiresAt} /> : <span class="quiet">never</span>}
                {isOver(one.expiresAt, now.value) ? <span class="status" data-st="failed"> · it has expired</span> : null}
              </td>
              <td class="right">
                <Action small kind="danger" onPress={() => revoke(one, reload)}>
                  Revoke
                  <span class="sr"> {one.name}</span>
                </Action>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function revoke(one: Key, reload: () => void): void {
  confirm({
    title: `Revoke ${one.name}?`,
    consequence: `Ends the key ${one.name} (${one.prefix}…) now: every program that uses it is refused from its next request on, and every browser that signed in with it is signed out, this one too if you used it here. It can not be undone.`,
    verb: 'Revoke the key',
    danger: true,
    act: ({ key }) =>
      send('delete', '/api/v1/api-keys/{apiKeyId}', { path: { apiKeyId: one.id }, key }).then(() => {
        toast('healthy', `${one.name} is revoked.`)
        reload()
      }),
  })
}

function Make({ onClose, reload }: { onClose(): void; reload(): void }) {
  const made = useSignal<NewKey | null>(null)
  const name = useSignal('')
  const life = useSignal('90')
  const busy = useSignal(false)
  const error = useSignal<ApiError | null>(null)
  const key = useRef('')
  const go = async (event: Event) => {
    event.preventDefault()
    if (busy.peek()) return
    if (!name.peek().trim()) {
      error.value = new ApiError(400, 'Give the key a name: whoever sees it in the list should know what uses it.')
      return
    }
    busy.value = true
    error.value = null
    try {
      key.current ||= requestKey()
      const expiresAt = expiryOf(life.peek(), now.peek())
      made.value = await send('post', '/api/v1/api-keys', { body: { name: name.peek().trim(), expiresAt: expiresAt ?? null }, key: key.current })
      reload()
    } catch (failure) {
      error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
      if (!error.value.passing) key.current = ''
    } finally {
      busy.value = false
    }
  }
  if (made.value) return <Secret made={made.value} onClose={onClose} />
  return (
    <Dialog title="Create an API key" onClose={onClose}>
      <form onSubmit={(event) => void go(event)} noValidate>
        <div class="labelled">
          <label for="key-name">Name</label>
          <input id="key-name" class="field" value={name} maxLength={100} required autocomplete="off" onInput={(event) => (name.value = event.currentTarget.value)} />
          <small>What uses it: “GitHub Actions”, “terraform syncer”.</small>
        </div>
        <div class="labelled">
          <label for="key-life">Expires</label>
          <select id="key-life" class="field" value={life} onChange={(event) => (life.value = event.currentTarget.value)}>
            {LIVES.map(([days, label]) => (
              <option key={days} value={days}>
                {label}
              </option>
            ))}
          </select>
        </div>
        {error.value ? <ErrorCard error={error.value} /> : null}
        <div class="foot">
          <Button onPress={onClose}>Cancel</Button>
          <button type="submit" class="btn primary" aria-disabled={busy.value ? 'true' : undefined}>
            {busy.value ? 'sending…' : 'Create the key'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** The only time that anybody sees the secret. */
function Secret({ made, onClose }: { made: NewKey; onClose(): void }) {
  return (
    <Dialog title={`${made.name} is ready`} onClose={onClose} wide keep>
      <p class="consequence">Copy the key now: only its fingerprint is kept, so that it can not be shown again. Whoever has it can do what you can.</p>
      <div class="labelled">
        <span>The key</span>
        <Command text={made.apiKey} label="The key" />
      </div>
      <div class="labelled">
        <span>For a shell</span>
        <Command text={exportLine(made.apiKey)} label="For a shell" />
      </div>
      <div class="foot">
        <Button kind="primary" onPress={onClose}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  )
}
