package uplink

import mqtt "github.com/eclipse/paho.mqtt.golang"

// maxCommandsWaiting is how many commands may wait to be looked at. What comes on
// top is refused: commands are rare, so many of them are no good sign.
const maxCommandsWaiting = 8

// onCommand hands a command over. A retained one was meant for another moment.
func (s *session) onCommand(m mqtt.Message) {
	stats := &s.link.stats
	if m.Retained() {
		stats.retainedIgnored.Add(1)
		return
	}
	if len(m.Payload()) == 0 { // somebody has cleared a retained message
		return
	}
	stats.commandsReceived.Add(1)
	if len(m.Payload()) > maxCommand {
		stats.commandsRefused.Add(1)
		return
	}
	select {
	case s.commands <- m.Payload():
	default:
		stats.commandsRefused.Add(1)
	}
}

// answerCommands lets the commands be looked at, one after the other.
func (s *session) answerCommands() {
	for {
		select {
		case payload := <-s.commands:
			if s.cfg.OnCommand(payload) {
				s.link.stats.commandsObeyed.Add(1)
			} else {
				s.link.stats.commandsRefused.Add(1)
			}
		case <-s.quit:
			return
		}
	}
}
