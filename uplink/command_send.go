package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// ErrNotHeard says that a vehicle has not answered a command. Nobody keeps it for
// the vehicle: one that is off line never gets it.
var ErrNotHeard = errors.New("the vehicle has not answered; commands are not kept for it, so send it again when the vehicle is on line")

// SendCommand publishes a signed command to a vehicle, not retained, and waits
// until ctx ends for the status that answers it. Whether the vehicle obeys is in
// the status, whose Command is then set.
func SendCommand(ctx context.Context, cfg LinkConfig, envelope []byte) (Status, error) {
	topics, err := NewTopics(cfg.Fleet, cfg.Vehicle)
	if err != nil {
		return Status{}, fmt.Errorf("send command: %w", err)
	}
	answers, asked := make(chan Status, 1), hexDigest(envelope)
	t, err := openAdmin(ctx, cfg, []string{topics.Status()}, func(_ mqtt.Client, m mqtt.Message) {
		var s Status
		// The status of before, retained, answers an earlier command if any, perhaps this very one.
		if m.Retained() || json.Unmarshal(m.Payload(), &s) != nil || s.Command == nil || s.Command.Answers != asked {
			return
		}
		select {
		case answers <- s:
		default: // one answer is enough
		}
	})
	if err != nil {
		return Status{}, err
	}
	defer t.disconnect()
	published, err := t.publish(message{topics.Commands(), envelope, false})
	if err == nil {
		err = await(ctx, published, adminTimeout)
	}
	if err != nil {
		return Status{}, fmt.Errorf("send command: publish to %s: %w", topics.Commands(), err)
	}
	select {
	case s := <-answers:
		return s, nil
	case err := <-t.lost:
		return Status{}, fmt.Errorf("send command: %w; whether the vehicle has it is not known", err)
	case <-ctx.Done():
		return Status{}, ErrNotHeard
	}
}
