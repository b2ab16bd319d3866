/** The page that the address names. Each is a folder under `pages/`; only the first one comes with the frame. */
import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { ApiError } from '../api/error.ts'
import Overview from '../pages/overview/index.tsx'
import { ErrorCard } from '../parts/say.tsx'
import { place } from '../router/location.ts'
import { workspace } from '../session.ts'
import { Lazy, NOT_LOADED } from './Lazy.tsx'

type Loaded = { default: ComponentType<Record<string, string>> }

const PAGES = import.meta.glob<Loaded>(['../pages/*/index.tsx', '!../pages/overview/index.tsx', '!../pages/signin/index.tsx'])

const lost = () => import('./Lost.tsx')

export function Page() {
  const failure = useSignal<string | null>(null)
  const here = place.value
  if (workspace.value && here?.name === 'overview') return <Overview />
  const load = here ? PAGES[`../pages/${here.name}/index.tsx`] : undefined
  if (!workspace.value || !here || !load) return <Lazy load={lost} />
  if (failure.value === here.name) {
    return (
      <div class="sheet">
        <ErrorCard error={new ApiError(0, `This page ${NOT_LOADED}`)} retry={() => location.reload()} verb="Load the page again" />
      </div>
    )
  }
  // A key for each address: a page begins anew with other parameters, and never mixes two.
  const key = `${here.name} ${JSON.stringify(here.params)}`
  return <Lazy key={key} load={load} props={here.params as Record<string, string>} failed={() => (failure.value = here.name)} />
}
