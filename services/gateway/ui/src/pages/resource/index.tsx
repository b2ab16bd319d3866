/** A resource: what it is, what it is related to, what runs on it, and what it was. */
import { useSignal } from '@preact/signals'
import { send } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { counted } from '../../acts/words.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Card, Icon, Time } from '../../parts/base.tsx'
import { Action } from '../../parts/Button.tsx'
import { confirm } from '../../parts/Dialog.tsx'
import { Copy, Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { Viewer } from '../../parts/Viewer.tsx'
import { at, go, href } from '../../router/location.ts'
import { History } from './History.tsx'
import { Metadata } from './Metadata.tsx'
import { Relations } from './Relations.tsx'
import { TARGETS, Targets } from './Targets.tsx'
import { Variables } from './Variables.tsx'
import './resource.css'

const RESOURCE = '/api/v1/workspaces/{workspaceId}/resources/identifier/{identifier}'

export default function ResourcePage({ identifier }: { identifier: string }) {
  // The stream tells of a deletion before its answer is here: what is being deleted is not asked for any more.
  const leaving = useSignal(false)
  const resource = useQuery(RESOURCE, { path: { identifier }, topics: ['resources'], when: !leaving.value })
  const targets = useQuery(TARGETS, { path: { identifier }, query: { limit: 1 }, topics: ['matrix'] })
  const providers = useQuery('/api/v1/workspaces/{workspaceId}/board/providers', { query: { limit: 1000 }, when: Boolean(resource.data.value?.providerId) })
  const found = resource.data.value
  useCrumbs([{ label: 'Resources', href: href('resources') }, { label: found?.name ?? identifier }])

  const remove = () => {
    const count = targets.data.value?.total
    const where = count === undefined ? 'Its release targets' : count ? `Its ${counted(count, 'release target')}` : 'It is no release target: nothing'
    confirm({
      title: `Delete ${found?.name ?? identifier}?`,
      consequence: `Removes ${identifier} from the inventory. ${where} ${count === 0 ? 'stops' : count === 1 ? 'goes with it' : 'go with it'}${count === 0 ? '.' : '; what runs there keeps running, but nothing more is deployed to it.'}${found?.providerId ? ' Its provider brings it back with its next set, unless it stops telling of it.' : ''}`,
      verb: 'Delete the resource',
      danger: true,
      act: async ({ key }) => {
        leaving.value = true
        try {
          await send('delete', RESOURCE, { path: { identifier }, key })
        } catch (failure) {
          leaving.value = false
          throw failure
        }
        toast('healthy', `${identifier} was deleted.`)
        go(href('resources'))
      },
    })
  }
  useKeys([{ key: 'Delete', does: 'delete the resource', run: () => (at.value === null && found ? remove() : undefined) }])

  if (resource.error.value?.status === 404) {
    return (
      <Empty page title={at.value === null ? 'There is no such resource' : 'There was no such resource then'}>
        <p>
          Nothing {at.value === null ? 'is' : 'was'} called <code>{identifier}</code>. <a href={href('resources')}>Look through all resources</a>.
        </p>
      </Empty>
    )
  }
  if (!found) {
    return <div class="sheet">{resource.error.value ? <ErrorCard error={resource.error.value} what="This resource could not be read." retry={resource.reload} /> : resource.slow.value ? <Skeleton lines={12} /> : null}</div>
  }
  const provider = providers.data.value?.items.find((one) => one.id === found.providerId)?.name
  return (
    <div class="sheet">
      {resource.error.value ? <ErrorCard error={resource.error.value} what="This is not the newest state." retry={resource.reload} /> : null}
      <div class="head">
        <h1>{found.name}</h1>
        <span class="tag">{found.kind}</span>
        <div class="actions">
          <Action kind="danger" onPress={remove}>
            <Icon name="trash" /> Delete
          </Action>
        </div>
        <p class="identified">
          <code>{found.identifier}</code>
          <Copy text={found.identifier} label="Copy the identifier" />
        </p>
      </div>
      <div class="cols">
        <div>
          <Card title="Release targets" note={targets.data.value ? counted(targets.data.value.total, 'target') : undefined}>
            <Targets identifier={identifier} />
          </Card>
          <Card title="Relations">
            <Relations identifier={identifier} name={found.name} />
          </Card>
          <Card title="Configuration">
            <div class="in">{Object.keys(found.config).length ? <Viewer value={found.config} label="configuration" /> : <p class="quiet">It has none.</p>}</div>
          </Card>
        </div>
        <div>
          <Card title="About it">
            <dl class="facts in">
              <dt>Version</dt>
              <dd>{found.version}</dd>
              <dt>Provider</dt>
              <dd>{found.providerId ? (provider ?? found.providerId.slice(0, 8)) : <span class="quiet">told of by people</span>}</dd>
              <dt>Made</dt>
              <dd>
                <Time at={found.createdAt} />
              </dd>
              <dt>Changed</dt>
              <dd>
                <Time at={found.updatedAt} />
              </dd>
            </dl>
          </Card>
          <Card title="Metadata">
            <div class="in">
              <Metadata metadata={found.metadata} />
            </div>
          </Card>
          <Card title="Variables">
            <Variables identifier={identifier} />
          </Card>
          <Card title="History">
            <History identifier={identifier} />
          </Card>
        </div>
      </div>
    </div>
  )
}
