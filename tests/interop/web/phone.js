// A telephone in a page, made of SIP.js. The test steers it through `window.phone`.
//
// Its user whistles a tone instead of speaking, and the page measures which tone comes back.

import { Inviter, Registerer, RegistererState, SessionState, UserAgent, Web } from "./node_modules/sip.js/lib/index.js";

const FFT_SIZE = 4096;
const CAMERA = { width: 320, height: 180, frameRate: 10 };
const DEVICE = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

class Phone {
    // `server` is the WebSocket's URL, `tone` what is whistled, in Hz; `video` has the camera on; calls are taken at once
    // where `takesCalls`.
    async start({ server, user, domain, tone, video, takesCalls }) {
        this.audio = new AudioContext();
        this.media = await this.whistle(tone);
        if (video) {
            const camera = await navigator.mediaDevices.getUserMedia({ video: CAMERA });
            camera.getTracks().forEach((track) => this.media.addTrack(track));
        }
        this.domain = domain;
        this.forget();
        this.agent = new UserAgent({
            uri: UserAgent.makeURI(`sip:${user}@${domain}`),
            transportOptions: { server },
            // A copy for each call, because the end of a call stops what it was given.
            sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(async () =>
                this.media.clone(),
            ),
            sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
            delegate: {
                onInvite: (invitation) => {
                    this.adopt(invitation);
                    if (takesCalls) return invitation.accept();
                },
            },
            autoStop: false, // a page that is closed has no time to say goodbye
            logLevel: "debug",
        });
        await this.agent.start();
        const registerer = new Registerer(this.agent);
        const registered = new Promise((resolve) => registerer.stateChange.addListener(resolve));
        await registerer.register();
        const state = await registered;
        if (state !== RegistererState.Registered) throw new Error(`not registered: ${state}`);
    }

    // The permission for the microphone is asked for as pages do: only with it the browser tells its addresses to peers.
    async whistle(tone) {
        const device = await navigator.mediaDevices.getUserMedia({ audio: DEVICE });
        device.getTracks().forEach((track) => track.stop());
        const voice = new OscillatorNode(this.audio, { frequency: tone });
        const loudness = new GainNode(this.audio, { gain: 0.5 });
        const microphone = new MediaStreamAudioDestinationNode(this.audio, { channelCount: 1 });
        voice.connect(loudness).connect(microphone);
        voice.start();
        return microphone.stream;
    }

    // Whatever is asked next is about the next call.
    forget() {
        this.session = null;
        this.states = [];
        this.ear = null;
    }

    adopt(session) {
        this.forget();
        this.session = session;
        session.stateChange.addListener((state) => this.states.push(state));
    }

    async call(user) {
        const inviter = new Inviter(this.agent, UserAgent.makeURI(`sip:${user}@${this.domain}`));
        this.adopt(inviter);
        const requestDelegate = { onProgress: () => this.states.push("Ringing") };
        await inviter.invite({ requestDelegate });
    }

    // From now on the certificate is not the one that the SIP side announces: its fingerprint begins with another octet.
    lie() {
        const send = this.agent.transport.send.bind(this.agent.transport);
        const other = (all, before, octet) => before + (octet === "00" ? "FF" : "00");
        this.agent.transport.send = (message) => send(message.replace(/(a=fingerprint:\S+ )(..)/g, other));
    }

    // From now on the SDP has no fingerprint but a short one, which nobody should trust.
    weaken() {
        const send = this.agent.transport.send.bind(this.agent.transport);
        const shorter = (all, octets) => `a=fingerprint:sha-1 ${octets}`;
        this.agent.transport.send = (message) => {
            const [head, body] = message.split("\r\n\r\n", 2);
            const weak = body.replace(/a=fingerprint:sha-256 ((?:..:){19}..)[^\r]*/g, shorter);
            const length = `Content-Length: ${weak.length}`;
            return send(`${head.replace(/Content-Length: \d+/, length)}\r\n\r\n${weak}`);
        };
    }

    accept() {
        return this.session.accept();
    }

    decline() {
        return this.session.reject();
    }

    hangUp() {
        const ringing = this.session instanceof Inviter && this.session.state !== SessionState.Established;
        return ringing ? this.session.cancel() : this.session.bye();
    }

    hold() {
        return this.offerAgain({ hold: true });
    }

    resume() {
        return this.offerAgain({ hold: false });
    }

    restartIce() {
        return this.offerAgain({ offerOptions: { iceRestart: true } });
    }

    // Resolves when the re-INVITE has been answered.
    offerAgain(sessionDescriptionHandlerOptions) {
        return new Promise((resolve, reject) => {
            const requestDelegate = {
                onAccept: () => resolve(),
                onReject: (response) => reject(new Error(`refused: ${response.message.statusCode}`)),
            };
            this.session.invite({ sessionDescriptionHandlerOptions, requestDelegate }).catch(reject);
        });
    }

    // A track in Chromium has no sound for the analyser unless an element plays it as well.
    listen() {
        const stream = this.session.sessionDescriptionHandler.remoteMediaStream;
        document.getElementById("ear").srcObject = stream;
        const ear = new AnalyserNode(this.audio, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
        new MediaStreamAudioSourceNode(this.audio, { mediaStream: stream }).connect(ear);
        return ear;
    }

    // The loudest frequency that comes in now, in Hz, and its level in dB.
    heard() {
        this.ear ??= this.listen();
        const levels = new Float32Array(this.ear.frequencyBinCount);
        this.ear.getFloatFrequencyData(levels);
        const loudest = levels.indexOf(Math.max(...levels));
        return { tone: (loudest * this.audio.sampleRate) / FFT_SIZE, level: levels[loudest] };
    }

    get connection() {
        return this.session.sessionDescriptionHandler.peerConnection;
    }

    // For the report of a failed test.
    async state() {
        const stats = this.session?.sessionDescriptionHandler ? await this.stats() : "no media";
        return JSON.stringify({ states: this.states, heard: this.ear && this.heard(), stats });
    }

    sdp() {
        return { local: this.connection.localDescription.sdp, remote: this.connection.remoteDescription.sdp };
    }

    // What the browser knows of what comes in and goes out, and of the transport.
    async stats() {
        const reports = [...(await this.connection.getStats()).values()];
        const find = (kind) => (type) => reports.find((report) => report.type === type && report.kind === kind);
        const audio = find("audio");
        return {
            received: audio("inbound-rtp")?.packetsReceived ?? 0,
            bytesReceived: audio("inbound-rtp")?.bytesReceived ?? 0,
            audioLevel: audio("inbound-rtp")?.audioLevel ?? 0,
            lost: audio("inbound-rtp")?.packetsLost ?? 0,
            sent: audio("outbound-rtp")?.packetsSent ?? 0,
            framesDecoded: find("video")("inbound-rtp")?.framesDecoded ?? 0,
            reportedBack: audio("remote-inbound-rtp") !== undefined,
            ice: this.connection.iceConnectionState,
            dtls: reports.find((report) => report.type === "transport")?.dtlsState ?? "",
            srtp: reports.find((report) => report.type === "transport")?.srtpCipher ?? "",
        };
    }
}

window.phone = new Phone();
