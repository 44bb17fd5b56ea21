"""`make bench-drift`: false alarms of the drift defaults on healthy data, and the planted faults they find.

In here: the deliveries (`monthly`), the faults, the histograms that rules are judged on (`counts`), and the
page (`alarms`).
"""
