import { describe, expect, it } from 'vitest'
import { elementsOf, textOf } from '../../src/twilio/xml.ts'
import { judgeTwiml } from '../support/twiml-judge.ts'

const head = '<?xml version="1.0" encoding="UTF-8"?>'
const sip =
  'sip:bianca@sip.example.com:5061;transport=tcp;callSid=CA1;patientId=4711?X-callSid=CA1&amp;X-patientId=4711'

describe('the judge of TwiML', () => {
  it.each([
    [
      'an agent',
      `<Say voice="Polly.Joanna">One moment &amp; thanks.</Say><Dial callerId="+15550100177" timeout="20" timeLimit="14400" answerOnBridge="true" action="https://a.example/v1?x=1&amp;y=2"><Sip>${sip}</Sip></Dial>`,
    ],
    ['a number', '<Dial action="/v1/dial-result" method="POST"><Number>+15550100200</Number></Dial>'],
    [
      'a recording and a word for whoever says nothing',
      '<Say>Speak.</Say><Record maxLength="30" playBeep="true" finishOnKey="#" trim="do-not-trim" action="/a" recordingStatusCallback="/b"/><Say>Nothing was heard.</Say><Hangup/>',
    ],
    [
      'a dial without an action, and what comes then',
      '<Dial><Sip>sips:a@192.0.2.1</Sip></Dial><Say>Nobody is there.</Say>',
    ],
    ['a line that is busy', '<Reject reason="busy"/>'],
    ['nothing', ''],
  ])('takes %s', (_, inside) => {
    expect(judgeTwiml(`${head}<Response>${inside}</Response>`).problems).toEqual([])
  })

  it('takes answers to a message, and none of them for a call', () => {
    const reply = `${head}<Response><Message>You get no more messages.</Message></Response>`
    expect(judgeTwiml(reply, 'message').problems).toEqual([])
    expect(judgeTwiml(reply).problems).toEqual(['Message may not stand here'])
    expect(judgeTwiml('<Response><Message/></Response>', 'message').problems).toHaveLength(1)
    expect(judgeTwiml('<Response><Say>Hello</Say></Response>', 'message').problems).toHaveLength(1)
  })

  it('reads what a caller is connected with', () => {
    const { verbs } = judgeTwiml(`<Response><Dial><Sip>${sip}</Sip></Dial></Response>`)
    const [address] = elementsOf(verbs[0]!)
    expect(textOf(address!)).toBe(sip.replace('&amp;', '&'))
  })

  it.each([
    ['no XML', '<Response><Say>a & b</Say></Response>'],
    ['two documents', '<Response/><Response/>'],
    ['an attribute twice', '<Response><Dial timeout="1" timeout="2"><Number>+15550100200</Number></Dial></Response>'],
    ['an entity of its own', '<!DOCTYPE r [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>'],
    ['a control character', '<Response><Say>a\u0007b</Say></Response>'],
    ['too much', `<Response><Say>${'a '.repeat(33_000)}</Say></Response>`],
    ['another element', '<Reply/>'],
    ['words outside of a verb', '<Response>Hello</Response>'],
  ])('refuses %s', (_, text) => {
    expect(judgeTwiml(text).problems).toHaveLength(1)
  })

  it.each([
    ['a verb that there is not', '<Speak>Hello</Speak>', 'Speak may not stand here'],
    ['a verb in small letters', '<say>Hello</say>', 'say may not stand here'],
    ['a name of every object', '<constructor/>', 'constructor may not stand here'],
    ['a noun without its verb', `<Sip>${sip}</Sip>`, 'Sip may not stand here'],
    ['a verb within another', '<Dial><Say>Hello</Say></Dial>', 'Say may not stand here'],
    ['an attribute of another verb', '<Say timeout="20">Hello</Say>', 'Say cannot have timeout="20"'],
    ['an attribute of every object', '<Say toString="1">Hello</Say>', 'Say cannot have toString="1"'],
    ['a value that there is not', '<Reject reason="full"/>', 'Reject cannot have reason="full"'],
    [
      'a time that is none',
      '<Dial timeout="20s"><Number>+15550100200</Number></Dial>',
      'Dial cannot have timeout="20s"',
    ],
    ['an address that is none', '<Redirect>https://</Redirect>', 'Redirect cannot have the words "https://"'],
    ['a number that is none', '<Dial><Number>0123</Number></Dial>', 'Number cannot have the words "0123"'],
    ['silence', '<Say> </Say>', 'Say cannot have the words ""'],
    ['words where none belong', '<Hangup>Bye</Hangup>', 'Hangup takes no words'],
    [
      'what is never reached',
      '<Dial action="/a"><Number>+15550100200</Number></Dial><Hangup/>',
      'Hangup is never reached',
    ],
    [
      'a call that is refused once it is answered',
      '<Say>Hello</Say><Reject/>',
      'Reject comes too late: the call is answered',
    ],
    ['nobody to dial', '<Dial action="/a"/>', 'Dial has nothing in it'],
  ])('refuses %s', (_, inside, problem) => {
    expect(judgeTwiml(`${head}<Response>${inside}</Response>`).problems).toEqual([problem])
  })

  it.each([
    ['a long address', `sip:a@b.example;x=${'1'.repeat(240)}`],
    ['long headers', `sip:a@b.example?X-a=${'1'.repeat(1_024)}`],
    ['a header of its own', 'sip:a@b.example?Contact=sip:c'],
    ['a header without X-', 'sip:a@b.example?callSid=CA1'],
    ['a header that begins another', 'sip:a@b.example?X-a=1%0D%0AX-b=2&amp;X-c=\n2'],
    ['a second question mark', 'sip:a@b.example?X-a=1?X-b=2'],
    ['no user', 'sip:b.example'],
    ['a blank', 'sip:a@b.example;name=A B'],
    ['a name to show', '"A" &lt;sip:a@b.example&gt;'],
  ])('refuses %s to dial', (_, address) => {
    const { problems } = judgeTwiml(`<Response><Dial><Sip>${address}</Sip></Dial></Response>`)
    expect(problems).toEqual([expect.stringMatching(/^Sip cannot have the words/)])
  })
})
