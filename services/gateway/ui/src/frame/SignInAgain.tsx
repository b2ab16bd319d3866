/** The session ended while the page was open: sign in again, and be where one was. */
import { expired } from '../api/client.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { KeyForm } from '../pages/signin/KeyForm.tsx'

export default function SignInAgain() {
  return (
    <Dialog title="The session is over" onClose={() => (expired.value = false)}>
      <p class="consequence">Sign in again to go on where you were. Nothing on this page is lost.</p>
      <KeyForm onDone={() => (expired.value = false)} />
    </Dialog>
  )
}
