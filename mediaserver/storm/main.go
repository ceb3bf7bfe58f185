// Sends a storm of webhooks through the media server's own notifier.
//
// Everybody leaves one room within some seconds: that is the worst its queue of one room sees. Settings come as the
// arguments, the people who leave as lines "identity participant-sid joined-at-ms" on standard input. At the end
// one line of JSON says how many were delivered and how many the notifier dropped; it is not part of the service.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/webhook"
	"github.com/prometheus/client_golang/prometheus"
)

func main() {
	url := flag.String("url", "", "where the receiver listens")
	room := flag.String("room", "", "name of the room")
	sid := flag.String("sid", "", "SID of the room")
	over := flag.Duration("over", 2*time.Second, "how long the leaving takes")
	depth := flag.Int("max-depth", 0, "max_depth of resource_url_notifier; 0 is its default")
	age := flag.Duration("max-age", 0, "max_age of resource_url_notifier; 0 is its default")
	within := flag.Duration("within", 5*time.Minute, "how long to wait for the deliveries")
	flag.Parse()

	// The key and its secret come by the environment, since arguments can be seen by everybody.
	key, secret := os.Getenv("STORM_KEY"), os.Getenv("STORM_SECRET")
	notifier, err := webhook.NewDefaultNotifier(webhook.WebHookConfig{
		URLs:   []string{*url},
		APIKey: key,
		ResourceURLNotifier: webhook.ResourceURLNotifierConfig{
			MaxDepth: *depth,
			MaxAge:   *age,
		},
	}, auth.NewSimpleKeyProvider(key, secret))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	webhook.InitWebhookStats(prometheus.Labels{})
	var delivered, dropped, failed atomic.Int64
	notifier.RegisterProcessedHook(func(_ context.Context, info *livekit.WebhookInfo) {
		switch {
		case info.IsDropped:
			dropped.Add(1)
		case info.SendError != "":
			failed.Add(1)
		default:
			delivered.Add(1)
		}
	})

	people := read()
	began := time.Now()
	for number, person := range people {
		at := began.Add(*over * time.Duration(number) / time.Duration(len(people)))
		time.Sleep(time.Until(at))
		_ = notifier.QueueNotify(context.Background(), left(*room, *sid, person))
	}
	for time.Since(began) < *within && delivered.Load()+dropped.Load()+failed.Load() < int64(len(people)) {
		time.Sleep(50 * time.Millisecond)
	}
	notifier.Stop(true)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"sent":      len(people),
		"delivered": delivered.Load(),
		"dropped":   dropped.Load(),
		"failed":    failed.Load(),
		"seconds":   time.Since(began).Seconds(),
	})
}

func read() [][]string {
	var people [][]string
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		people = append(people, strings.Fields(lines.Text()))
	}
	return people
}

func left(room, sid string, person []string) *livekit.WebhookEvent {
	joined, _ := strconv.ParseInt(person[2], 10, 64)
	now := time.Now()
	return &livekit.WebhookEvent{
		Event:     webhook.EventParticipantLeft,
		Id:        "EV_" + person[1],
		CreatedAt: now.Unix(),
		Room:      &livekit.Room{Name: room, Sid: sid},
		Participant: &livekit.ParticipantInfo{
			Sid:              person[1],
			Identity:         person[0],
			State:            livekit.ParticipantInfo_DISCONNECTED,
			JoinedAt:         joined / 1000,
			JoinedAtMs:       joined,
			DisconnectReason: livekit.DisconnectReason_CLIENT_INITIATED,
		},
	}
}
