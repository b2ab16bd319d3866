/** Settings: API keys, what runs behind the workspace, and what this browser keeps. */
import type { ComponentChildren } from 'preact'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Empty } from '../../parts/say.tsx'
import { go, href } from '../../router/location.ts'
import { Agents } from './Agents.tsx'
import { ApiKeys } from './ApiKeys.tsx'
import { Browser } from './Browser.tsx'
import { Providers } from './Providers.tsx'
import { System } from './System.tsx'
import './settings.css'

const SECTIONS: readonly { key: string; label: string; body(): ComponentChildren }[] = [
  { key: 'keys', label: 'API keys', body: () => <ApiKeys /> },
  { key: 'agents', label: 'Agents', body: () => <Agents /> },
  { key: 'providers', label: 'Providers', body: () => <Providers /> },
  { key: 'system', label: 'System', body: () => <System /> },
  { key: 'browser', label: 'This browser', body: () => <Browser /> },
]

export default function SettingsPage({ section }: { section: string }) {
  const shown = SECTIONS.find((one) => one.key === section)
  useCrumbs([{ label: 'Settings' }, { label: shown?.label ?? section }])
  useKeys(SECTIONS.map(({ key, label }, index) => ({ key: String(index + 1), does: label, run: () => go(href('settings', { section: key })) })))
  return (
    <div class="sheet">
      <nav class="sections" aria-label="Settings">
        {SECTIONS.map(({ key, label }) => (
          <a key={key} href={href('settings', { section: key })} aria-current={key === section ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {shown ? (
        shown.body()
      ) : (
        <Empty page title="There are no such settings">
          <p>There are API keys, agents, providers, the system and this browser.</p>
        </Empty>
      )}
    </div>
  )
}
