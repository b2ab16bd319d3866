/** Signing in with an API key. */
import mark from '../../icons/mark.svg?url'
import { KeyForm } from './KeyForm.tsx'
import './signin.css'

export default function SignIn() {
  return (
    <main class="signin">
      <div>
        <img class="mark" src={mark} alt="" />
        <h1>Sign in to Signalbox</h1>
        <p class="quiet">With an API key: <code>infra/dev up</code> says where the first one is, and everyone makes more of them in the settings.</p>
        <KeyForm />
        <p class="faint small">The key is exchanged for a session cookie and is not kept in the browser.</p>
      </div>
    </main>
  )
}
