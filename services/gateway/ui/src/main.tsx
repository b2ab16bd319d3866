import { render } from 'preact'
import { Frame } from './frame/Frame.tsx'
import { Lazy } from './frame/Lazy.tsx'
import { ErrorCard } from './parts/say.tsx'
import { place } from './router/location.ts'
import { begin, standing, standingError } from './session.ts'

const signIn = () => import('./pages/signin/index.tsx')

function App() {
  if (place.value?.name === 'signin' && standing.value !== 'in') return <Lazy load={signIn} />
  if (standing.value === 'failed' && standingError.value) {
    return (
      <main class="sheet">
        <ErrorCard error={standingError.value} retry={() => location.reload()} />
      </main>
    )
  }
  return standing.value === 'in' ? <Frame /> : null
}

void begin()
const root = document.getElementById('app')
if (root) render(<App />, root)
