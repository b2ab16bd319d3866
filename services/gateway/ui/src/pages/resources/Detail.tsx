/** A resource beside the list: what it is, without leaving where one is. */
import { useQuery } from '../../api/useQuery.ts'
import { Icon, Time } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Tabs } from '../../parts/Tabs.tsx'
import { Viewer } from '../../parts/Viewer.tsx'
import { href } from '../../router/location.ts'
import { History } from '../resource/History.tsx'
import { Metadata } from '../resource/Metadata.tsx'
import { Relations } from '../resource/Relations.tsx'
import { Targets } from '../resource/Targets.tsx'
import '../resource/resource.css'
import { Variables } from '../resource/Variables.tsx'

export function Detail({ identifier, onClose }: { identifier: string; onClose(): void }) {
  const resource = useQuery('/api/v1/workspaces/{workspaceId}/resources/identifier/{identifier}', { path: { identifier }, topics: ['resources'] })
  const found = resource.data.value
  return (
    <aside class="beside" aria-label={`Resource ${identifier}`}>
      <header>
        <div>
          <h2 class="cut">{found?.name ?? identifier}</h2>
          <a href={href('resource', { identifier })}>Open as a page</a>
        </div>
        <Button kind="bare" label="Close" onPress={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      {resource.error.value ? <ErrorCard error={resource.error.value} what="This resource could not be read." retry={resource.reload} /> : null}
      {found ? (
        <>
          <dl class="facts in">
            <dt>Identifier</dt>
            <dd>{found.identifier}</dd>
            <dt>Kind</dt>
            <dd>
              {found.kind} <small class="quiet">{found.version}</small>
            </dd>
            <dt>Changed</dt>
            <dd>
              <Time at={found.updatedAt} ago />
            </dd>
          </dl>
          <Tabs
            label="About this resource"
            name="show"
            tabs={[
              { key: 'config', label: 'Config', body: () => <div class="in"><Metadata metadata={found.metadata} /><Viewer value={found.config} label="configuration" /></div> },
              { key: 'targets', label: 'Targets', body: () => <Targets identifier={identifier} /> },
              { key: 'relations', label: 'Relations', body: () => <Relations identifier={identifier} name={found.name} narrow /> },
              { key: 'variables', label: 'Variables', body: () => <Variables identifier={identifier} /> },
              { key: 'history', label: 'History', body: () => <History identifier={identifier} /> },
            ]}
          />
        </>
      ) : resource.slow.value ? (
        <div class="in">
          <Skeleton />
        </div>
      ) : null}
    </aside>
  )
}
