/** The approvals inbox: what waits for people, and what they decided. */
import { useCrumbs } from '../../frame/crumbs.ts'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Tabs } from '../../parts/Tabs.tsx'
import { href } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { Done } from './Done.tsx'
import { groupsOf } from './groups.ts'
import { type Inbox, useInbox } from './inbox.ts'
import { Waiting } from './Waiting.tsx'
import './approvals.css'

export default function Approvals() {
  useCrumbs([{ label: 'Approvals' }])
  const inbox = useInbox()
  const rows = inbox.there.value ? inbox.rows.values() : null
  const mine = rows?.filter((one) => one.canAct).length ?? 0
  return (
    <div class="sheet approvals">
      <div class="head">
        <h1>Approvals</h1>
        {rows?.length ? (
          <p>
            {rows.length} {rows.length === 1 ? 'waits' : 'wait'} for people
            {past.value ? '' : mine === rows.length ? (mine === 1 ? ', and you can decide' : ', and you can decide all of them') : `, and you can decide ${mine || 'none'} of them`}.
          </p>
        ) : null}
      </div>
      <div class="tabbed">
        <Tabs
          label="Approvals"
          tabs={[
            { key: 'waiting', label: 'Waiting', ...(rows ? { count: rows.length } : {}), body: () => <Now inbox={inbox} /> },
            { key: 'done', label: 'Done', body: () => <Done /> },
          ]}
        />
      </div>
    </div>
  )
}

function Now({ inbox }: { inbox: Inbox }) {
  const error = inbox.error.value
  if (!inbox.there.value) return error ? <ErrorCard error={error} what="What waits:" retry={inbox.reload} /> : <Skeleton lines={9} />
  const rows = inbox.rows.values()
  if (error || rows.length) {
    return (
      <>
        {error ? <ErrorCard error={error} what="This is not the newest state:" retry={inbox.reload} /> : null}
        <Waiting groups={groupsOf(rows)} />
      </>
    )
  }
  return (
    <Empty title={past.value ? 'Nothing waited for anybody then' : 'Nothing waits for anybody'}>
      <p>
        A version appears here when a policy with the rule <code>anyApproval</code> holds it in an environment; it goes when enough people approved it, or when a
        newer version passes it by.
      </p>
      <p>
        <a href={href('policies')}>The policies of this workspace</a>
      </p>
    </Empty>
  )
}
